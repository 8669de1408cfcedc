"""What a spelled-out scheme may say, and what it is told when it says something else."""

from __future__ import annotations

import pytest

from causeway.webhooks.compiled import check, compiled
from causeway.webhooks.patterns import SchemeError
from causeway.webhooks.schemes import SCHEMES

HMAC = {"algorithm": "hmac-sha256", "header": "x-signature"}


@pytest.mark.parametrize("name", SCHEMES)
def test_every_built_in_scheme_is_one_that_a_manifest_could_spell_out(name: str):
    for scheme in SCHEMES[name]:
        check(scheme)


def test_what_is_not_said_has_a_default():
    ready = compiled({"algorithm": "hmac-sha256", "header": "X-Signature"})
    assert ready.header == "x-signature"
    assert ready.signed.names == ["body"]
    assert compiled({"algorithm": "basic", "header": ""}).header == "authorization"


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ({**HMAC, "algorithm": "rsa-md5"}, "algorithm: 'rsa-md5' is not known; there are hmac-sha1, hmac-sha256"),
        ({**HMAC, "header": ""}, "header: the signature's header must be named"),
        ({**HMAC, "encoding": "base32"}, "encoding: 'base32' is not known; there are hex, base64, base64url"),
        ({**HMAC, "key": "jks"}, "key: 'jks' is not known; there are utf8, base64, hex"),
        ({**HMAC, "handshake": "none"}, "handshake: 'none' is not known; there are slack, zoom"),
        ({**HMAC, "pattern": "v1="}, "pattern: 'v1=' must hold exactly one of {signature}"),
        ({**HMAC, "pattern": "{signature}{signature}"}, "must hold exactly one of"),
        ({**HMAC, "pattern": "{signature},{signature}", "separator": ","}, "must hold {signature} once"),
        ({**HMAC, "pattern": "t={timestamp},{signature}"}, "pattern: {timestamp} needs `timestamp: {unit: s}`"),
        ({**HMAC, "pattern": "v1={signature},v0={signature}"}, "`separator` says what stands between several"),
        ({**HMAC, "signed": "{cookies}"}, "signed: {cookies} is not known; there are {body}, {timestamp}, {method}"),
        ({**HMAC, "signed": "{id}.{body}"}, "signed: {id} needs `id: headers.NAME`"),
        ({**HMAC, "signed": "{nonce}.{body}"}, "signed: {nonce} needs `nonce: {header: NAME}`"),
        ({**HMAC, "signed": "{method}"}, "signed: the body must be in it"),
        ({**HMAC, "signed": "{timestamp}.{body}"}, "a timestamp must be described and signed"),
        ({**HMAC, "timestamp": {"header": "x-t", "unit": "s"}}, "a timestamp must be described and signed"),
        ({**HMAC, "signed": "{timestamp}{body}", "timestamp": {"unit": "s"}}, "either in the pattern as {timestamp}, or in a header"),
        (
            {**HMAC, "signed": "{timestamp}{body}", "timestamp": {"header": "x-t", "unit": "days"}},
            "timestamp.unit: 'days' is not known; there are s, ms, rfc3339, http",
        ),
        ({"algorithm": "token", "header": "x-token", "signed": "{body}"}, "signs nothing"),
    ],
)  # fmt: skip
def test_what_the_engine_cannot_do_is_said_when_the_map_is_compiled(scheme, message):
    with pytest.raises(
        SchemeError, match=message.replace("{signature}", r"\{signature\}").replace(r"\\{", r"\{")
    ):
        check(scheme)


def test_an_id_that_is_a_header_can_be_signed_and_one_of_the_body_cannot():
    """The body is not read before it is verified."""
    check({**HMAC, "signed": "{id}.{body}", "id": 'headers."x-id"'})
    check({**HMAC, "signed": "{id}.{body}", "id": "headers.id"})
    with pytest.raises(SchemeError, match=r"\{id\} needs `id: headers.NAME`"):
        check({**HMAC, "signed": "{id}.{body}", "id": "body.id"})


def test_a_record_is_compiled_once():
    scheme = SCHEMES["github"][0]
    assert compiled(scheme) is compiled(scheme)
