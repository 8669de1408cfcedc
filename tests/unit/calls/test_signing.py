"""What is sent is signed as receivers verify it, by their own libraries; and shown a certificate where one is wanted."""

from __future__ import annotations

import base64
import json
import ssl
import time
from datetime import UTC, datetime
from unittest import mock

import pytest
import standardwebhooks
import stripe
import svix
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from causeway.aws.client import Aws, AwsError
from causeway.aws.roles import Roles
from causeway.calls.caller import Caller
from causeway.calls.outcome import Refused
from causeway.calls.proof import Means
from causeway.calls.request import Request, make_request
from causeway.calls.signing import scheme_headers, shown, signed
from causeway.calls.transport import Transport
from causeway.settings.clock import SettableClock, SystemClock
from causeway.settings.secrets import SecretMissing
from causeway.webhooks.patterns import SignedRequest
from causeway.webhooks.schemes import SCHEMES
from causeway.webhooks.verify import verify
from tests.support.calls import HeldSecrets, make_api, make_call, make_plan
from tests.support.target import Reply, Target
from tests.support.tls import Authority

WHSEC = "whsec_" + base64.b64encode(b"1" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"2" * 32).decode()
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"3" * 32)
WHSK = "whsk_" + base64.b64encode(b"3" * 32 + PRIVATE.public_key().public_bytes_raw()).decode()
WHPK = "whpk_" + base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()
SECRETS = {"one": WHSEC, "two": OTHER, "key": WHSK, "text": "s3cret", "text2": "s3cret2"}
NOW = 1_700_000_000
DELIVERY = {"Idempotency-Key": "0123456789abcdef/step"}


@pytest.fixture
def send(target):
    """Sends one call, gives what arrived."""
    transport = Transport()

    def send(*, data=None, means=None, **api):
        means = means or Means(HeldSecrets(**SECRETS), SystemClock())
        plan = make_plan(make_api(target.url, **api))
        caller = Caller(plan, means.secrets, means.clock, transport=transport, means=means)
        deadline = means.clock.now() + 10
        caller.call(make_call(), {"data": data or {"a": "ü"}}, headers=DELIVERY, deadline=deadline)
        return target.requests[-1]

    yield send
    transport.close()


def by(scheme, *names):
    return {"schemes": SCHEMES[scheme], "secrets": list(names)}


class TestSchemes:
    @pytest.mark.parametrize("secret", [WHSEC, OTHER])
    def test_standard_webhooks_verifies_what_was_signed_with_two_secrets(self, send, secret):
        received = send(signing=by("standard-webhooks", "one", "two"))
        assert len(received.headers["webhook-signature"].split(" ")) == 2
        assert received.headers["webhook-id"] == DELIVERY["Idempotency-Key"]
        assert standardwebhooks.Webhook(secret).verify(received.body, received.headers) == {"a": "ü"}

    def test_svix_verifies_it(self, send):
        received = send(signing=by("svix", "one"))
        svix.Webhook(WHSEC).verify(received.body, received.headers)
        with pytest.raises(svix.WebhookVerificationError):
            svix.Webhook(WHSEC).verify(received.body + b" ", received.headers)

    def test_v1a_is_verified_by_the_public_key_and_stands_beside_v1(self, send):
        received = send(signing=by("standard-webhooks", "key", "one"))
        v1a, v1 = received.headers["webhook-signature"].split(" ")
        headers = received.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + received.body
        PRIVATE.public_key().verify(base64.b64decode(v1a.removeprefix("v1a,")), signed)
        assert v1.startswith("v1,")
        request = SignedRequest("POST", "", headers, received.body)
        for secret in (WHPK, WHSEC):
            assert verify(SCHEMES["standard-webhooks"], request, [secret], tolerance=300, now=time.time())

    def test_stripe_verifies_two_secrets_in_one_list(self, send):
        received = send(signing=by("stripe", "text", "text2"), data={"object": "event", "a": 1})
        for secret in ("s3cret", "s3cret2"):
            header = received.headers["stripe-signature"]
            assert stripe.WebhookSignature.verify_header(received.body.decode(), header, secret, 300)

    def test_a_header_that_takes_one_signature_has_the_first_secrets(self, send):
        received = send(signing=by("github", "text", "text2"))
        request = SignedRequest("POST", "", received.headers, received.body)
        found = verify(SCHEMES["github"], request, ["s3cret2", "s3cret"], tolerance=300, now=time.time())
        assert found.secret_index == 1

    def test_each_attempt_is_signed_anew_under_the_same_id(self, send):
        first, second = (
            send(
                signing=by("standard-webhooks", "one"),
                means=Means(HeldSecrets(**SECRETS), SettableClock(now)),
            )
            for now in (1_700_000_000.0, 1_700_000_060.0)
        )
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.headers["webhook-signature"] != second.headers["webhook-signature"]

    def test_a_poll_is_signed_under_an_id_of_its_own(self):
        """It carries no Idempotency-Key, since it does nothing that could be repeated."""
        poll = Request("GET", "https://desk.example.com/changes", {}, None)
        made = [scheme_headers(poll, by("standard-webhooks", "one"), SECRETS.get, now=NOW) for _ in range(2)]
        assert made[0]["webhook-id"] != made[1]["webhook-id"]
        for headers in made:
            request = SignedRequest("GET", poll.url, headers, b"")
            assert verify(SCHEMES["standard-webhooks"], request, [WHSEC], tolerance=300, now=NOW)

    def test_a_secret_of_another_scheme_is_told_without_its_text(self, send):
        with pytest.raises(SecretMissing, match="the secret text cannot sign") as caught:
            send(signing={"schemes": SCHEMES["standard-webhooks"][:1], "secrets": ["text"]})
        assert "s3cret" not in str(caught.value)

    def test_it_is_shown_without_any_secret(self):
        api = make_api(signing=by("standard-webhooks", "one"), auth={"type": "aws_sigv4", "service": "s3"})
        assert shown(api) == {
            "webhook-signature": "<signature with one>",
            "Authorization": "<AWS signature, version 4>",
        }


class Lent(Roles):
    """Credentials that tests know."""

    def __init__(self):
        pass

    region = "eu-central-1"

    def credentials(self, role):
        return ReadOnlyCredentials("AKID", "secret", "session" if role else None)


class TestAws:
    @pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/partner"])
    @pytest.mark.parametrize("service", ["execute-api", "s3"])
    @pytest.mark.parametrize(
        ("path", "query"),
        [("/entries", {}), ("/a b/ü/${data.x}", {"b": ["2", "1 +"], "a": "ü/~", "empty": ""})],
    )
    def test_a_call_is_signed_as_botocore_signs_it(self, service, role, path, query):
        auth = {"type": "aws_sigv4", "service": service} | ({"role": role} if role else {})
        api = make_api(auth=auth)
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        call = make_call(path=path, query=query)
        request = make_request(call, api, {"data": {"x": "s/l?a&sh"}}, reveal=str, headers=DELIVERY)
        ours = signed(request, api, str, roles=Lent(), now=NOW).headers
        theirs = AWSRequest(
            method="POST",
            url=request.url,
            data=request.body,
            headers={"Content-Type": request.headers["Content-Type"]},
        )
        with mock.patch("botocore.auth.get_current_datetime", return_value=datetime.fromtimestamp(NOW, UTC)):
            signer(Lent().credentials(role), service, "eu-central-1").add_auth(theirs)
        assert ours["authorization"] == theirs.headers["Authorization"]

    def test_a_role_is_taken_on_once_and_anew_before_it_ends(self, cloud):
        clock = SettableClock()
        iam = cloud.boto("iam")
        arn = iam.create_role(RoleName=f"{cloud.stack}-partner", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        roles = Roles(cloud.aws, clock)
        first = roles.credentials(arn)
        assert first.access_key.startswith("ASIA")
        assert first.token
        assert roles.credentials(arn) is first
        clock.advance(3301)
        assert roles.credentials(arn) is not first
        assert first.secret_key not in repr(first)

    def test_its_own_credentials_sign_without_one(self, cloud):
        assert Roles(cloud.aws, SettableClock()).credentials(None).access_key == "testing"

    def test_a_role_that_may_not_be_taken_on_is_our_fault(self):
        aws = Aws.from_env(
            {"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        )
        with Target() as sts:
            sts.on("/", Reply(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"))
            aws._endpoints = {"": sts.url}
            with pytest.raises(AwsError, match="AccessDenied"):
                Roles(aws, SettableClock()).credentials("arn:aws:iam::123456789012:role/x")
            aws.close()


class TestCertificates:
    @pytest.fixture
    def authority(self, tmp_path):
        return Authority(tmp_path)

    @pytest.fixture
    def bank(self, authority):
        context = authority.server("localhost")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority.pem)
        with Target(tls=context) as running:
            yield running

    def call(self, bank, authority, **secrets):
        transport = Transport(tls=authority.client())
        held = HeldSecrets(**secrets)
        api = make_api(f"https://localhost:{bank.port}")
        if secrets:
            api["mtls"] = {"certificate": "cert", "key": "key"}
        caller = Caller(make_plan(api), held, SystemClock(), transport=transport)
        try:
            return [
                caller.call(make_call(), {"data": {}}, headers=DELIVERY, deadline=time.time() + 10).status
                for _ in range(2)
            ]
        finally:
            caller.close()

    def test_a_server_that_wants_one_is_shown_it_and_the_connection_is_kept(self, bank, authority):
        certificate, key = authority.identity("causeway")
        assert self.call(bank, authority, cert=certificate, key=key) == [200, 200]
        assert bank.connections == 1

    def test_without_one_there_is_no_secure_connection(self, bank, authority):
        with pytest.raises(Refused) as caught:
            self.call(bank, authority)
        assert caught.value.kind in ("tls", "connection")  # the server may be gone before all was sent
        assert caught.value.retry
        assert not bank.requests

    def test_one_of_another_authority_is_refused(self, bank, authority, tmp_path):
        stranger = tmp_path / "stranger"
        stranger.mkdir()
        certificate, key = Authority(stranger).identity("causeway")
        with pytest.raises(Refused) as caught:
            self.call(bank, authority, cert=certificate, key=key)
        assert caught.value.kind in ("tls", "connection")  # the server may be gone before all was sent
        assert not bank.requests

    @pytest.mark.parametrize("broken", [{"cert": "nonsense"}, {"key": "nonsense"}, {"key": None}])
    def test_one_that_cannot_be_shown_is_our_fault_and_not_quoted(self, bank, authority, broken):
        certificate, key = authority.identity("causeway")
        other = authority.identity("other")[1]
        secrets = {"cert": certificate, "key": key} | broken
        secrets["key"] = secrets["key"] or other
        with pytest.raises(SecretMissing, match="the secrets cert and key") as caught:
            self.call(bank, authority, **secrets)
        assert "nonsense" not in str(caught.value)
        assert "PRIVATE" not in str(caught.value)

    def test_the_certificate_is_on_no_disk_afterwards(self, bank, authority, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
        (tmp_path / "scratch").mkdir()
        certificate, key = authority.identity("causeway")
        self.call(bank, authority, cert=certificate, key=key)
        assert not list((tmp_path / "scratch").iterdir())

    def test_connections_are_not_shared_with_calls_that_show_another(self, bank, authority):
        transport = Transport(tls=authority.client())
        for name in ("one", "two"):
            certificate, key = authority.identity(name)
            api = make_api(f"https://localhost:{bank.port}", mtls={"certificate": "cert", "key": "key"})
            caller = Caller(
                make_plan(api), HeldSecrets(cert=certificate, key=key), SystemClock(), transport=transport
            )
            caller.call(make_call(), {"data": {}}, headers=DELIVERY, deadline=time.time() + 10)
        transport.close()
        assert bank.connections == 2


def test_a_list_of_ways_adds_all_of_them(send):
    received = send(
        auth=[{"type": "api_key", "key": "text", "header": "X-Key"}, {"type": "bearer", "token": "text2"}]
    )
    assert (received.headers["x-key"], received.headers["authorization"]) == ("s3cret", "Bearer s3cret2")
    assert json.loads(received.body) == {"a": "ü"}
