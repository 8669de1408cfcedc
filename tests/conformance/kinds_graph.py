"""Microsoft Graph's notifications: a state in each entry and, with encrypted content, tokens beside them."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tests.conformance import keys
from tests.conformance.deliveries import NOW, Delivery, Kind, body_of, edited
from tests.conformance.kinds_jwt import Claims, claims_of, refuses, token

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conformance.deliveries import Secret, Vector

_TENANT, _APP = "84bd8158-6d4d-4958-8b9f-9d6445542f95", "8e460676-ae3f-4b1e-8790-ee0fb5d6ae1e"
_PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"


def _graph_secret(number: int) -> dict[str, Any]:
    return {
        "client_state": f"State{number}",
        "tenant_ids": [_TENANT],
        "app_ids": [_APP],
        "jwks_pem": {"m1": keys.public_pem(keys.rsa_key(number))},
    }


_GRAPH = tuple(_graph_secret(number) for number in (0, 1))


def _sign_graph(tokens: list[Claims] | None) -> Callable[[Delivery, Secret, int], Delivery]:
    def sign(delivery: Delivery, secret: dict[str, Any], now: int) -> Delivery:
        body = json.loads(delivery.body)
        for each in body["value"]:
            each["clientState"] = secret["client_state"]
        if tokens is not None:
            base = {
                "aud": _APP,
                "iss": f"https://sts.windows.net/{_TENANT}/",
                "iat": now,
                "nbf": now,
                "exp": now + 300,
                "azp": _PUBLISHER,
                "tid": _TENANT,
            }
            body["validationTokens"] = [
                token({**base, **changes}, "RS256", _GRAPH.index(secret), kid="m1") for changes in tokens
            ]
        return delivery._replace(body=json.dumps(body, ensure_ascii=False))

    return sign


def _graph(vector: Vector) -> bool:
    secret, body = vector["secret"], json.loads(body_of(vector))
    values = body["value"]
    if not values or not all(
        hmac.compare_digest(each["clientState"], secret["client_state"]) for each in values
    ):
        return False
    if any("encryptedContent" in each for each in values) and not body.get("validationTokens"):
        return False
    issuers = [f"https://sts.windows.net/{_TENANT}/", f"https://login.microsoftonline.com/{_TENANT}/v2.0"]
    for text in body.get("validationTokens", []):
        pem = secret["jwks_pem"][jwt.get_unverified_header(text)["kid"]]
        claims = claims_of(vector, text, load_pem_public_key(pem.encode()), ["RS256"], audience=secret["app_ids"], issuer=issuers,
                         options={"require": ["exp"], "verify_iat": False})  # fmt: skip
        if _PUBLISHER not in (claims.get("azp"), claims.get("appid")):
            return False
    return True


def _graph_kind(name: str, tokens: list[Claims] | None, **fields: Any) -> Kind:
    body = {
        "value": [
            {"id": each, "changeType": "created", "resource": "me/messages/1", "tenantId": _TENANT, **fields}
            for each in ("n1", "n2")
        ]
    }
    return Kind(
        name=f"microsoft-graph/{name}", oracle="microsoft's rule", sign=_sign_graph(tokens), secrets=_GRAPH, body=json.dumps(body), covers=frozenset(),
        empty=False, inside=True, events=tuple((each, fields.get("lifecycleEvent", "created")) for each in ("n1", "n2")), source="https://learn.microsoft.com/en-us/graph/change-notifications-with-resource-data",
        cases={
            "no-state": edited('"clientState"', '"clientStat"'),
            "second-forged": lambda delivery: delivery._replace(body="State9".join(delivery.body.rsplit("State0", 1))),
            "no-values": lambda delivery: delivery._replace(body='{"value":[]}'),
        } | ({} if tokens is None else {"no-tokens": edited('"validationTokens"', '"validationToken"')}),
    )  # fmt: skip


SAMPLES: dict[str, Callable[[Vector], str]] = {"microsoft's rule": refuses(_graph)}

KINDS = [
    _graph_kind("client-state", None),
    _graph_kind("lifecycle", None, changeType=None, lifecycleEvent="reauthorizationRequired"),
    _graph_kind("tokens", [{}, {"azp": None, "appid": _PUBLISHER}], encryptedContent={"data": "x"}),
    _graph_kind("tokens-of-another-app", [{}, {"aud": "another"}], encryptedContent={"data": "x"}),
    _graph_kind(
        "tokens-of-another-tenant",
        [{"iss": f"https://sts.windows.net/x{_TENANT}/"}],
        encryptedContent={"data": "x"},
    ),
    _graph_kind("tokens-of-another-publisher", [{"azp": "x"}], encryptedContent={"data": "x"}),
    _graph_kind("tokens-expired", [{"exp": NOW - 100_000}], encryptedContent={"data": "x"}),
]
