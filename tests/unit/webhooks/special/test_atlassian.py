"""What Atlassian Connect binds and refuses, beyond its vectors."""

from __future__ import annotations

import jwt
import pytest

from causeway.webhooks.verify import Verified
from tests.support.code_schemes import SECRETS, URL, judge, signed
from tests.support.publishers import NOW


def test_atlassian_binds_method_path_and_query():
    request = signed("atlassian-connect", b"{}")
    assert isinstance(judge("atlassian-connect", request), Verified)
    assert isinstance(
        judge("atlassian-connect", request._replace(url=URL.replace("b=2&a=1%20x", "a=1+x&b=2"))), Verified
    )
    assert isinstance(
        judge("atlassian-connect", request._replace(body=b"other")), Verified
    )  # which it does not bind
    for changed in (
        request._replace(method="GET"),
        request._replace(url=URL + "&c=1"),
        request._replace(url=URL.replace("/x", "/y")),
    ):
        assert judge("atlassian-connect", changed) == "signature"
    assert judge("atlassian-connect", request, now=NOW + 180) == "timestamp"
    assert judge("atlassian-connect", request._replace(url="")) == "scheme"


def test_atlassian_the_token_may_come_in_the_query_which_it_is_not_part_of():
    request = signed("atlassian-connect", b"{}")
    token = request.headers["authorization"].removeprefix("JWT ")
    inside = request._replace(url=f"{URL}&jwt={token}", headers={})
    assert isinstance(judge("atlassian-connect", inside), Verified)
    assert judge("atlassian-connect", inside._replace(url=f"{URL}&jwt={token}&jwt={token}")) == "malformed"
    assert judge("atlassian-connect", request._replace(headers={})) == "missing"
    assert (
        judge("atlassian-connect", inside._replace(headers={"authorization": f"Bearer {token}"}))
        == "malformed"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"qsh": None},
        {"qsh": 1},
        {"qsh": "context-qsh"},
        {"qsh": ""},
        {"exp": None},
        {"iat": None},
        {"iss": None},
        {"alg": "HS512"},
    ],
)
def test_atlassian_a_token_of_another_kind_is_rejected(changed):
    """A token for the front end says ``context-qsh``, and is good for no request."""
    request = signed("atlassian-connect", b"{}")
    key = SECRETS["atlassian-connect"] * 3
    claims = jwt.decode(
        request.headers["authorization"].removeprefix("JWT "), options={"verify_signature": False}
    )
    claims = {
        name: value for name, value in {**claims, **changed}.items() if value is not None and name != "alg"
    }
    token = jwt.encode(claims, key, changed.get("alg", "HS256"))
    assert isinstance(
        judge("atlassian-connect", request._replace(headers={"authorization": f"JWT {token}"}), [key]), str
    )
