"""Whose AWS a command talks to: the local cloud's, or the caller's own account."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config

from causeway.aws.client import Aws
from causeway.aws.credentials import AccessKey
from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable

    from causeway.aws.credentials import CredentialSource

LOCAL_REGION = "us-east-1"
LOCAL_KEY = "test"  # ministack's root credentials, both halves
ANSWER_WITHIN = 30.0  # seconds: people wait longer than providers


def local_clients(endpoint: str) -> Callable[[str], Any]:
    """Clients of an AWS at `endpoint`; nothing of the caller's own AWS settings is looked at."""
    nowhere = (None, None, os.devnull, None)
    botocore_session = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": nowhere,
            "credentials_file": nowhere,
        }
    )
    session = boto3.Session(
        aws_access_key_id=LOCAL_KEY,
        aws_secret_access_key=LOCAL_KEY,
        region_name=LOCAL_REGION,
        botocore_session=botocore_session,
    )
    config = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60)
    return cache(lambda service: session.client(service, endpoint_url=endpoint, config=config))


def account_clients(*, region: str | None, profile: str | None) -> Callable[[str], Any]:
    """Clients of the caller's AWS account, with the caller's own rights."""
    session = boto3.Session(region_name=region, profile_name=profile)
    return cache(session.client)


def local_aws(endpoint: str) -> Aws:
    """The library's own client of an AWS at `endpoint`."""
    key = AccessKey(LOCAL_KEY, LOCAL_KEY, None)
    return Aws(region=LOCAL_REGION, credentials=lambda: key, endpoints={"": endpoint}, timeout=ANSWER_WITHIN)


def account_aws(*, region: str | None, profile: str | None) -> Aws:
    """The library's own client of the caller's AWS account, with the caller's own rights.

    Raises:
        CommandError: There are no credentials, or no region is set.
    """
    session = boto3.Session(region_name=region, profile_name=profile)
    found = session.get_credentials()
    if found is None:
        raise CommandError(
            "there are no AWS credentials: --profile, or the AWS CLI's own settings, say whose"
        )
    if session.region_name is None:
        raise CommandError("no AWS region is set: --region says which")
    url = os.environ.get("AWS_ENDPOINT_URL")
    return Aws(
        region=session.region_name,
        credentials=cast("CredentialSource", found.get_frozen_credentials),
        endpoints={"": url} if url else {},
        timeout=ANSWER_WITHIN,
    )
