"""Authentication in manifests: what compiles to what, and what is told of the rest."""

from __future__ import annotations

import pytest

from causeway.plan.plan import Plan
from causeway_cli.secret_names import uses
from tests.support.maps import desk, errors, plan

OAUTH = "type: oauth2, grant: client_credentials, token_url: 'https://a.example.com/t', client_id: us"


def api(text):
    return f"api: {{base_url: 'https://d.example.com', {text}}}\n"


def told(directory, auth):
    text = "system: desk\n" + api(f"auth: {{{auth}}}")
    return [error.split(": ", 1)[1] for error in errors(directory, {"systems/desk.yaml": text})]


def test_a_record_has_what_is_written_and_defaults(tmp_path):
    record = desk(tmp_path, api(f"auth: {{{OAUTH}, client_secret: s, extra: {{a: {{secret: b}}}}}}"))
    assert record["api"]["auth"] == {
        "type": "oauth2",
        "grant": "client_credentials",
        "token_url": "https://a.example.com/t",
        "client_id": "us",
        "client_secret": "s",
        "client_auth": "basic",
        "extra": {"a": {"secret": "b"}},
    }


def test_a_list_mtls_and_signing_are_compiled_and_their_secrets_known(tmp_path):
    files = {
        "systems/desk.yaml": "system: desk\n"
        + api(
            f"auth: [{{type: bearer, token: t}}, {{{OAUTH}, client_secret: s}}],"
            " mtls: {certificate: c, key: k}, signing: {scheme: [svix, github], secrets: [x, 'y#f']}"
        )
    }
    record = plan(tmp_path, files)
    found = record["systems"]["desk"]["api"]
    assert [auth["type"] for auth in found["auth"]] == ["bearer", "oauth2"]
    assert found["mtls"] == {"certificate": "c", "key": "k"}
    assert found["signing"]["schemes"][-1]["header"] == "x-hub-signature-256"
    assert {use.name for use in uses(Plan(record)) if use.direction == "out"} == {
        "t",
        "s",
        "c",
        "k",
        "x",
        "y",
    }


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (OAUTH, "api.auth.client_secret: missing: what the client proves itself with"),
        (f"{OAUTH}, client_auth: private_key_jwt", "api.auth.key: the private key of client_auth"),
        (f"{OAUTH}, client_secret: s, key: k", "api.auth.key: the private key of client_auth"),
        (f"{OAUTH}, client_secret: s, refresh_token: r", "api.auth.refresh_token: the name of the first"),
        (f"{OAUTH}, client_secret: s, key_id: r", "api.auth.key_id: names the key of"),
        (
            "type: oauth2, grant: client_credentials, token_url: 'http://a.example.com', client_id: u, client_secret: s",
            "api.auth.token_url: must be https",
        ),
        (
            "type: oauth2, grant: client_credentials, token_url: 'https://169.254.169.254/t', client_id: u, client_secret: s",
            "api.auth.token_url: 169.254.169.254 is an address of the platform",
        ),
        ("type: jwt, key: k, algorithm: none", "api.auth.algorithm: must be"),
        ("type: aws_sigv4, service: s3, role: partner", "api.auth.role: must be the ARN of a role"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, auth, message):
    assert any(message in one for one in told(tmp_path, auth)), told(tmp_path, auth)


def test_a_scheme_to_sign_with_is_checked_as_one_to_verify_with(tmp_path):
    text = "system: desk\n" + api("signing: {scheme: strip, secrets: [a]}")
    (error,) = errors(tmp_path, {"systems/desk.yaml": text})
    assert "there is no built-in scheme 'strip'; did you mean 'stripe'?" in error
