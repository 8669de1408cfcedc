"""The authorizer as API Gateway asks it: a client, or a refusal, and never anything else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from causeway.authorizing.authorizer import LONGEST, Authorizer
from causeway.authorizing.clients import Refused, client_with
from causeway.authorizing.keys import Keys
from causeway.aws.table import Table
from causeway.settings.clock import SettableClock
from functions.authorizer import app
from tests.support.clients import AUDIENCE, ISSUER, KEYS_URL, NOW, Provider, asking
from tests.support.memory_aws import MemoryAws

EVENTS = Path(__file__).parents[3] / "events" / "authorizer"
REFUSED = {"isAuthorized": False}


@pytest.fixture
def clock():
    return SettableClock(NOW)


@pytest.fixture
def keys(clock):
    return Keys(Table(MemoryAws(clock), "state"), clock)


@pytest.fixture
def provider(clock):
    return Provider(clock)


@pytest.fixture
def key(keys):
    return keys.create("billing", scopes=["requests:call", "console:read"], good_for=60, by="ann")[0]


def test_a_key_is_answered_with_its_client_and_scopes_as_texts(keys, key):
    assert Authorizer(keys, None).judge(asking(key)) == {
        "isAuthorized": True,
        "context": {"client": "key:billing", "scopes": "console:read requests:call"},
    }


def test_a_token_is_answered_with_its_subject_and_scopes(keys, provider):
    assert Authorizer(keys, provider.issuer()).judge(asking(provider.token())) == {
        "isAuthorized": True,
        "context": {"client": "oidc:app-1", "scopes": "requests:call"},
    }


def test_a_token_cannot_take_the_name_of_a_keys_client(keys, provider):
    verdict = Authorizer(keys, provider.issuer()).judge(asking(provider.token(sub="key:billing")))
    assert verdict["context"]["client"] == "oidc:key:billing"


def test_without_an_issuer_no_token_is_taken(keys, provider):
    assert Authorizer(keys, None).judge(asking(provider.token())) == REFUSED
    assert not provider.web.asked


@pytest.mark.parametrize(
    "scheme", ["", "Basic ", "Bearer", "Bearer\t", "xBearer ", "Bearer x ", "Bearer  \n"]
)
def test_a_credential_comes_as_a_bearer_token_or_not_at_all(keys, key, scheme):
    assert Authorizer(keys, None).judge(asking(key, scheme=scheme)) == REFUSED


def test_the_schemes_name_is_written_in_any_case(keys, key):
    assert Authorizer(keys, None).judge(asking(key, scheme="bearer "))["isAuthorized"]


def test_two_credentials_in_one_header_are_none(keys, key):
    assert Authorizer(keys, None).judge(asking(f"{key},Bearer {key}")) == REFUSED


def test_an_oversized_credential_is_refused_unread(keys, provider):
    token = provider.token(padding="x" * LONGEST)
    assert Authorizer(keys, provider.issuer()).judge(asking(token)) == REFUSED
    assert not provider.web.asked


@pytest.mark.parametrize("sources", [None, [], [""], ["a", "b"], [None], [1]])
def test_an_event_without_one_credential_is_refused(keys, sources):
    assert Authorizer(keys, None).judge({**asking("x"), "identitySource": sources}) == REFUSED


def test_what_cannot_be_judged_is_refused_and_told_without_the_credential(keys, key, capsys):
    class Broken(Keys):
        def client_of(self, text):
            raise RuntimeError(f"no answer about {text}")

    assert Authorizer(Broken(None, None), None).judge(asking(key)) == REFUSED
    said = capsys.readouterr().out
    assert '"level":"ERROR"' in said
    assert key not in said


def test_a_refusal_is_told_with_its_rule_and_without_the_credential(keys, provider, capsys):
    token = provider.token(aud="https://other.example.com")
    Authorizer(keys, provider.issuer()).judge(asking(token))
    said = capsys.readouterr().out
    assert json.loads(said)["rule"] == "audience"
    assert token not in said


def asked(context):
    return {"requestContext": {"authorizer": {"lambda": context}} if context is not None else {}}


def test_a_function_behind_the_authorizer_asks_for_the_scope_that_it_needs():
    event = asked({"client": "key:billing", "scopes": "console:read requests:call"})
    assert client_with("requests:call", event).name == "key:billing"
    with pytest.raises(Refused, match="scope"):
        client_with("console:operate", event)


@pytest.mark.parametrize(
    "context",
    [None, {}, {"client": "key:billing"}, {"scopes": "requests:call"}, {"client": "", "scopes": "requests:call"},
     {"client": "a", "scopes": ["requests:call"]}],
)  # fmt: skip
def test_a_route_that_was_left_without_an_authorizer_lets_nobody_in(context):
    with pytest.raises(Refused, match="unauthorized"):
        client_with("requests:call", asked(context))


class Context:
    aws_request_id = "request-1"


@pytest.fixture
def deployed(cloud, monkeypatch):
    """The function as its environment makes it, on a real table."""
    for name, value in cloud.environ.items():
        monkeypatch.setenv(name, value)
    app._authorizer.cache_clear()
    yield cloud
    app._authorizer.cache_clear()


def test_the_function_lets_in_whom_the_table_knows(deployed):
    from causeway.settings.clock import SystemClock

    stored = Keys(Table(deployed.aws, deployed.state), SystemClock())
    text, key = stored.create("billing", scopes=["requests:call"], good_for=60, by="ann")
    assert app.handler(asking(text), Context())["isAuthorized"]
    stored.revoke(key.id, by="ann")
    assert app.handler(asking(text), Context()) == REFUSED
    assert app.handler(json.loads((EVENTS / "unknown-key.json").read_bytes()), Context()) == REFUSED


def test_the_function_takes_tokens_of_the_provider_that_it_is_told(deployed, provider, clock):
    environ = {
        **deployed.environ,
        "CAUSEWAY_OIDC_ISSUER": ISSUER,
        "CAUSEWAY_OIDC_AUDIENCE": AUDIENCE,
        "CAUSEWAY_OIDC_JWKS_URL": KEYS_URL,
    }

    def fetch(url, body=None, *, anew=False):
        return provider.web(url, body)[1]

    assert app.make_authorizer(environ, clock, fetch).judge(asking(provider.token()))["isAuthorized"]


def test_half_a_provider_fails_the_function_at_once(deployed, monkeypatch):
    """API Gateway answers 500 then: a typing mistake locks out, and does not let in."""
    monkeypatch.setenv("CAUSEWAY_OIDC_ISSUER", ISSUER)
    with pytest.raises(ValueError, match="OidcAudience"):
        app.handler(asking("x"), Context())


def test_nothing_heavy_is_imported_to_judge_a_key():
    """A cold start delays a client; signatures of tokens come with the first token."""
    heavy = ("boto3", "botocore.client", "cryptography", "jwt", "pydantic", "yaml", "urllib3", "aws_xray_sdk")
    script = (
        f"import sys; from functions.authorizer import app; print([n for n in {heavy!r} if n in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
