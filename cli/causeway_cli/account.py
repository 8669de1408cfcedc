"""Whose AWS a command talks to: the local cloud's, or the caller's own account."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL_REGION = "us-east-1"
LOCAL_KEY = "test"  # ministack's root credentials, both halves


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
