"""Our signatures are those of the official client."""

from datetime import UTC, datetime
from unittest import mock
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from causeway.aws.credentials import AccessKey
from causeway.aws.sigv4 import Scope, signed_headers

keys = st.builds(
    AccessKey,
    st.from_regex(r"[A-Z0-9]{16,20}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9/+]{40}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9/+=]{1,300}", fullmatch=True),
)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50)
headers = st.dictionaries(st.from_regex(r"x-[a-z0-9-]{1,20}", fullmatch=True), values, max_size=4)
object_keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
times = st.integers(0, 4_000_000_000)


def official(signer, service, request, key, now):
    moment = datetime.fromtimestamp(now, UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        signer(ReadOnlyCredentials(*key), service, "eu-central-1").add_auth(request)
    return request.headers["Authorization"]


@given(key=keys, extra=headers, body=st.binary(max_size=300), now=times)
@pytest.mark.parametrize("service", ["sqs", "dynamodb", "ssm", "secretsmanager", "events"])
def test_a_call_is_signed_as_botocore_signs_it(service, key, extra, body, now):
    sent = {"host": f"{service}.eu-central-1.amazonaws.com", **extra}
    request = AWSRequest("POST", f"https://{sent['host']}/", sent, body)
    scope = Scope("eu-central-1", service)
    signed = signed_headers("POST", "/", sent, body, credentials=key, scope=scope, now=now)
    assert signed["authorization"] == official(SigV4Auth, service, request, key, now)


@given(key=keys, name=object_keys, body=st.binary(max_size=300), now=times)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_an_object_is_signed_as_botocore_signs_it(method, key, name, body, now):
    sent = {"host": "bucket.s3.eu-central-1.amazonaws.com"}
    path = "/" + quote(name, safe="/~")
    request = AWSRequest(method, f"https://{sent['host']}{path}", sent, body)
    scope = Scope("eu-central-1", "s3")
    signed = signed_headers(method, path, sent, body, credentials=key, scope=scope, now=now)
    assert signed["authorization"] == official(S3SigV4Auth, "s3", request, key, now)


paths = st.lists(st.sampled_from(["", ".", "..", "a", "a%20b", "%C3%BC", "~", "a:b", "$", "x"]), max_size=5)
queries = st.lists(
    st.sampled_from(["a=1", "a=", "b=%20", "a=2", "a-b=~", "A=1", "c=%2F", "a%5B%5D=1"]), max_size=4
)


@given(key=keys, parts=paths, pairs=queries, now=times)
@pytest.mark.parametrize("service", ["execute-api", "s3"])
def test_a_path_and_a_query_are_signed_as_botocore_signs_them(service, key, parts, pairs, now):
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    sent = {"host": "api.example.com"}
    path, query = "/" + "/".join(parts), "&".join(pairs)
    url = f"https://api.example.com{path}" + (f"?{query}" if query else "")
    request = AWSRequest("POST", url, sent, b"{}")
    scope = Scope("eu-central-1", service)
    signed = signed_headers("POST", path, sent, b"{}", credentials=key, scope=scope, now=now, query=query)
    assert signed["authorization"] == official(signer, service, request, key, now)


@given(key=keys)
def test_a_key_does_not_show_its_secret(key):
    assert repr(key) == f"AccessKey({key.access_key!r}, ...)"
