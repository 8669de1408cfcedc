"""What Microsoft Graph binds and refuses, beyond its vectors."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest

from causeway.webhooks.key_sets import SOURCES
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.special.graph import PUBLISHER
from causeway.webhooks.verify import Verified
from tests.support.code_schemes import JSON, URL, judge
from tests.support.publishers import NOW, Web, jwk, key_set, rsa_key

TENANT, APP = "84bd8158-6d4d-4958-8b9f-9d6445542f95", "8e460676-ae3f-4b1e-8790-ee0fb5d6ae1e"
GRAPH = json.dumps({"client_state": "client state", "tenant_ids": [TENANT], "app_ids": [APP]})
MICROSOFT = {
    "aud": APP, "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", "tid": TENANT, "azp": PUBLISHER,
    "iat": int(NOW), "nbf": int(NOW), "exp": int(NOW) + 3600,
}  # fmt: skip


def changes(*states: Any, tokens: Any = None, content: bool = False) -> SignedRequest:
    entries = [
        {"id": str(number), "clientState": state, **({"encryptedContent": {}} if content else {})}
        for number, state in enumerate(states)
    ]
    body = {"value": entries, **({} if tokens is None else {"validationTokens": tokens})}
    return SignedRequest("POST", URL, JSON, json.dumps(body).encode())


def microsoft(key: int = 1, **changed: Any) -> str:
    claims = {name: value for name, value in {**MICROSOFT, **changed}.items() if value is not None}
    return jwt.encode(claims, rsa_key(key), "RS256", headers={"kid": "m1"})


def tokens_judged(*tokens: Any, secret: str = GRAPH, now: float = NOW) -> Verified | str:
    web = Web({SOURCES["microsoft"].url: key_set(m1=rsa_key(1))})
    return judge(
        "microsoft-graph", changes("client state", tokens=list(tokens), content=True), [secret], web, now=now
    )


@pytest.mark.parametrize("state", ["other", "", None, 1, ["client state"], "client stat", "client state "])
def test_graph_the_client_state_must_be_right_in_every_entry(state):
    assert isinstance(judge("microsoft-graph", changes("client state", "client state")), Verified)
    assert judge("microsoft-graph", changes("client state", state)) == "signature"
    assert judge("microsoft-graph", changes(state, "client state")) == "signature"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"value": []}',
        b'{"value": [1]}',
        b'{"value": {}}',
        b'{"value": [{}], "validationTokens": "x"}',
    ],
)
def test_graph_no_entries_are_no_proof(body):
    assert judge("microsoft-graph", SignedRequest("POST", URL, JSON, body)) in ("missing", "malformed")


def test_graph_content_needs_tokens_and_every_token_must_be_right():
    assert isinstance(tokens_judged(microsoft()), Verified)
    assert isinstance(
        tokens_judged(
            microsoft(), microsoft(azp=None, appid=PUBLISHER, iss=f"https://sts.windows.net/{TENANT}/")
        ),
        Verified,
    )
    assert tokens_judged() == "missing"
    assert tokens_judged(microsoft(), microsoft(key=2)) == "signature"
    assert tokens_judged(microsoft(), 1) == "malformed"
    assert tokens_judged(*[microsoft()] * 21) == "malformed"
    assert (
        tokens_judged(microsoft(), secret="client state") == "secret"
    )  # which does not say whose tokens are ours
    assert tokens_judged(microsoft(), now=NOW + 3600) == "timestamp"


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "other"},
        {"aud": [APP]},
        {"tid": "00000000-0000-0000-0000-000000000000"},
        {"iss": "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"},
        {"iss": f"https://evil.example/{TENANT}/v2.0"},
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0/evil"},
        {"azp": "11111111-1111-1111-1111-111111111111"},
        {"azp": "11111111-1111-1111-1111-111111111111", "appid": PUBLISHER},
        {"azp": None},
        {"tid": None},
    ],
)
def test_graph_a_token_for_or_by_somebody_else_is_rejected(changed):
    assert tokens_judged(microsoft(**changed)) == "signature"


def test_graph_a_token_without_content_is_judged_all_the_same():
    web = Web({SOURCES["microsoft"].url: json.dumps({"keys": [jwk(rsa_key(1), "m1")]}).encode()})
    request = changes("client state", tokens=[microsoft(key=2)])
    assert judge("microsoft-graph", request, [GRAPH], web) == "signature"
