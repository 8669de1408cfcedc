"""First contact and refused requests, with parameters and a bucket on (emulated) AWS."""

from __future__ import annotations

import base64
import functools
import hmac
import json
from typing import TYPE_CHECKING, Any

import pytest

from causeway.plan.plan import Plan
from causeway.settings.clock import SettableClock
from causeway.settings.secrets import Secrets
from causeway.telemetry.metrics import Metrics
from causeway.webhooks import rejections
from causeway.webhooks.accepting import Accepting, mailbox_name, window_name
from causeway.webhooks.receiving import Receiver
from causeway.webhooks.rejections import PER_MINUTE, Rejections
from causeway_cli import accepting, refusals
from causeway_cli.errors import CommandError
from causeway_cli.place import Place
from tests.support.receiving import NOW, KeptQueue, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.aws import Cloud

HOOK_SECRET = "b537207f20cbfa02357cf448134da559"


def _scheme(**more: Any) -> dict[str, Any]:
    return {"algorithm": "hmac-sha256", "header": "x-hook-signature", **more}


def _system(name: str, scheme: dict[str, Any], **more: Any) -> dict[str, Any]:
    said = {"schemes": [scheme], "secrets": [f"{name}/hook"], "dedupe_for": 604800.0}
    return {"name": name, "description": "", "redact": ["data.email"], "webhooks": {**said, **more}}


EMPTY = {"headers": {}, "body": ""}
SYSTEMS = [
    _system("asana", _scheme(handshake="asana", split="body.events")),
    _system("meta", _scheme(handshake="meta"), token="meta/verify"),
    _system("x", _scheme(handshake="x")),
    _system("trello", _scheme(handshake="trello")),
    _system("dropbox", _scheme(handshake="dropbox")),
    _system("discord", _scheme(handshake="discord")),
    _system("sns", _scheme(handshake="aws-sns", id="body.MessageId", type="body.Type")),
    _system(
        "xero",
        _scheme(split="body.events", reply={"status": 200, **EMPTY}, refusal={"status": 401, **EMPTY}),
        keep_rejected=3600,
    ),
    _system("other", _scheme()),
]


class Function:
    """The receiving function's parts, on an AWS."""

    def __init__(self, cloud: Cloud) -> None:
        self.clock = SettableClock(NOW)
        self.queue = KeptQueue()
        self.visited: list[str] = []
        self.fails: Exception | None = None
        plan: Any = {
            "format": 1,
            "environment": "dev",
            "systems": {each["name"]: each for each in SYSTEMS},
            "integrations": {},
        }
        self.plan = Plan(plan)
        self.receiver = Receiver(
            plan=self.plan,
            secrets=Secrets(cloud.aws, prefix=cloud.secrets_prefix, direction="in", clock=self.clock),
            store=self.queue,  # type: ignore[arg-type]
            clock=self.clock,
            metrics=Metrics(),
            accepting=functools.cache(
                lambda: Accepting(cloud.aws, prefix=cloud.secrets_prefix, clock=self.clock)
            ),
            rejections=functools.cache(
                lambda: Rejections(cloud.aws, bucket=cloud.payloads, clock=self.clock)
            ),
            visit=self._visit,
        )

    def _visit(self, url: str) -> None:
        self.visited.append(url)
        if self.fails:
            raise self.fails

    def asked(
        self,
        system: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        method: str = "POST",
        query: str = "",
    ) -> Any:
        event = request(system, body, headers, method=method, encoded=True)
        return self.receiver.answer({**event, "rawQueryString": query})

    def sent(self, system: str, content: Any, secret: str = HOOK_SECRET) -> Any:
        body = json.dumps(content).encode()
        signature = hmac.new(secret.encode(), body, "sha256").hexdigest()
        return self.asked(system, body, {"x-hook-signature": signature})


@pytest.fixture
def function(cloud: Cloud) -> Function:
    return Function(cloud)


@pytest.fixture
def place(cloud: Cloud, function: Function) -> Place:
    """The operator's side of the same stack."""
    return Place(function.plan, cloud.boto, cloud.stack)


def contact(function: Function, secret: str = HOOK_SECRET) -> Any:
    return function.asked("asana", b"{}", {"x-hook-secret": secret})


def accept(place: Place, function: Function, then: Callable[[], None]) -> None:
    """Open the window; what happens in it happens at each look into the mailbox."""

    def sleep(_: float) -> None:
        function.clock.advance(6)
        then()

    use = accepting.chosen(place, "asana", None)
    accepting.accept(place, "asana", use, seconds=600, clock=function.clock.now, sleep=sleep)


def test_a_secret_is_taken_in_an_open_window_and_verifies_from_then_on(
    cloud: Cloud, function: Function, place: Place
) -> None:
    answers: list[Any] = []
    accept(place, function, lambda: answers.append(contact(function)))

    assert [(each["statusCode"], each["headers"], each["body"]) for each in answers] == [
        (200, {"x-hook-secret": HOOK_SECRET}, "")
    ]
    function.clock.advance(60)
    assert function.sent("asana", {"events": []})["statusCode"] == 200
    left = cloud.aws.call(
        "ssm",
        "GetParameters",
        {
            "Names": [
                window_name(cloud.secrets_prefix, "asana"),
                mailbox_name(cloud.secrets_prefix, "asana"),
            ]
        },
    )
    assert left["Parameters"] == []


def test_without_a_window_no_secret_is_taken(cloud: Cloud, function: Function) -> None:
    """Whoever may replace the secret may send what he likes."""
    answer = contact(function)
    assert answer["statusCode"] == 403
    assert "x-hook-secret" not in answer["headers"]
    found = cloud.aws.call("ssm", "GetParameters", {"Names": [mailbox_name(cloud.secrets_prefix, "asana")]})
    assert found["Parameters"] == []


def test_the_first_secret_in_a_window_is_the_only_one(function: Function, place: Place) -> None:
    answers: list[int] = []

    def several() -> None:
        answers.extend(
            contact(function, secret)["statusCode"]
            for secret in (HOOK_SECRET, "an-attackers-secret", HOOK_SECRET)
        )

    accept(place, function, several)
    assert answers == [200, 403, 200]  # the provider may not have got our answer, and asks again
    function.clock.advance(60)
    assert function.sent("asana", {"events": []}, "an-attackers-secret")["statusCode"] == 401


def test_a_window_ends(function: Function, place: Place) -> None:
    with pytest.raises(CommandError, match="the window is closed"):
        accept(place, function, lambda: None)
    assert contact(function)["statusCode"] == 403


def test_a_window_that_nobody_closed_is_closed_by_its_time(cloud: Cloud, function: Function) -> None:
    name = window_name(cloud.secrets_prefix, "asana")
    parameter = {"Name": name, "Value": str(int(NOW) + 10), "Type": "String"}
    cloud.aws.call("ssm", "PutParameter", parameter)
    function.clock.advance(10)
    assert contact(function)["statusCode"] == 403


def test_a_window_is_opened_for_who_brings_a_secret_only(place: Place) -> None:
    with pytest.raises(CommandError, match="other brings no secret itself"):
        accepting.chosen(place, "other", None)
    with pytest.raises(CommandError, match="no system 'nobody'"):
        accepting.chosen(place, "nobody", None)
    with pytest.raises(CommandError, match="names no secret 'x'"):
        accepting.chosen(place, "asana", "x")


def test_meta_is_answered_by_the_token_that_was_agreed(cloud: Cloud, function: Function) -> None:
    query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token="
    cloud.put_secret("meta/verify", "meatyhamhock")
    right = function.asked("meta", method="GET", query=f"{query}meatyhamhock")
    wrong = function.asked("meta", method="GET", query=f"{query}nope")
    assert (right["statusCode"], right["body"]) == (200, "1158201444")
    assert wrong["statusCode"] == 403
    assert "1158201444" not in wrong["body"]


def test_meta_without_a_token_is_refused(function: Function) -> None:
    query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token="
    assert function.asked("meta", method="GET", query=query)["statusCode"] == 403


def test_a_challenge_is_signed_with_the_stored_secret(cloud: Cloud, function: Function) -> None:
    cloud.put_secret("x/hook", HOOK_SECRET)
    answer = function.asked("x", method="GET", query="crc_token=9b4507b3")
    signature = base64.b64encode(hmac.digest(HOOK_SECRET.encode(), b"9b4507b3", "sha256")).decode()
    assert json.loads(answer["body"]) == {"response_token": f"sha256={signature}"}


def test_a_body_that_could_be_had_signed_is_no_event(cloud: Cloud, function: Function) -> None:
    """The answer to a challenge is the signature of that challenge: 12345 is JSON, too."""
    cloud.put_secret("x/hook", HOOK_SECRET)
    answer = function.asked("x", method="GET", query="crc_token=12345")
    token = json.loads(answer["body"])["response_token"].removeprefix("sha256=")
    forged = function.asked("x", b"12345", {"x-hook-signature": base64.b64decode(token).hex()})
    assert forged["statusCode"] == 401


def test_head_is_answered_where_a_provider_asks_so(function: Function) -> None:
    answer = function.asked("trello", method="HEAD")
    assert (answer["statusCode"], answer["body"]) == (200, "")


@pytest.mark.parametrize(
    ("system", "method", "allowed"),
    [
        ("other", "GET", "POST"),
        ("other", "HEAD", "POST"),
        ("dropbox", "GET", "GET, POST"),
        ("dropbox", "HEAD", "GET, POST"),
        ("trello", "GET", "HEAD, POST"),
    ],
)
def test_what_is_no_first_contact_is_told_what_is_allowed(
    function: Function, system: str, method: str, allowed: str
) -> None:
    answer = function.asked(system, method=method)
    assert (answer["statusCode"], answer["headers"]["allow"]) == (405, allowed)


def test_a_ping_is_answered_only_if_it_is_signed(cloud: Cloud, function: Function) -> None:
    """Discord sends wrong signatures on purpose, and wants 401."""
    cloud.put_secret("discord/hook", HOOK_SECRET)
    assert function.sent("discord", {"type": 1})["body"] == '{"type": 1}'
    assert function.sent("discord", {"type": 0})["statusCode"] == 204
    assert function.sent("discord", {"type": 1}, "wrong")["statusCode"] == 401


CONFIRMATION = {
    "Type": "SubscriptionConfirmation",
    "MessageId": "165545c9",
    "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336",
}


def test_a_subscription_is_confirmed_after_its_signature(cloud: Cloud, function: Function) -> None:
    cloud.put_secret("sns/hook", HOOK_SECRET)
    assert function.sent("sns", CONFIRMATION, "wrong")["statusCode"] == 401
    assert function.visited == []
    assert function.sent("sns", CONFIRMATION)["statusCode"] == 200
    assert function.visited == [CONFIRMATION["SubscribeURL"]]


@pytest.mark.parametrize("problem", [OSError("no route"), ValueError("refused")])
def test_what_cannot_be_confirmed_is_sent_again(cloud: Cloud, function: Function, problem: Exception) -> None:
    cloud.put_secret("sns/hook", HOOK_SECRET)
    function.fails = problem
    assert function.sent("sns", CONFIRMATION)["statusCode"] == 503


def test_xero_is_told_right_from_wrong_by_the_status_alone(cloud: Cloud, function: Function) -> None:
    cloud.put_secret("xero/hook", HOOK_SECRET)
    right = function.sent("xero", {"events": []})
    wrong = function.sent("xero", {"events": []}, "wrong")
    assert [(each["statusCode"], each["body"]) for each in (right, wrong)] == [(200, ""), (401, "")]


def _kept(cloud: Cloud) -> list[str]:
    listed = cloud.boto("s3").list_objects_v2(Bucket=cloud.payloads)
    return [each["Key"] for each in listed.get("Contents", [])]


def test_a_refused_request_is_kept_where_the_map_says_so(cloud: Cloud, function: Function) -> None:
    for system in ("xero", "other"):
        cloud.put_secret(f"{system}/hook", HOOK_SECRET)
        assert function.sent(system, {"events": []}, "wrong")["statusCode"] == 401
    (key,) = _kept(cloud)
    assert key.startswith("rejected/xero/")
    kept = rejections.read(json.loads(cloud.aws.get_object(cloud.payloads, key)))
    assert (kept.rule, kept.at, kept.expires_at) == ("signature", NOW, NOW + 3600)
    assert kept.request.body == b'{"events": []}'


def test_strangers_fill_no_bucket(cloud: Cloud, function: Function) -> None:
    for _ in range(PER_MINUTE + 5):
        function.sent("xero", {"events": []}, "wrong")
    function.asked("xero", b"x" * (rejections.MAX_BODY + 1))
    assert len(_kept(cloud)) == PER_MINUTE
    function.clock.advance(60)
    function.sent("xero", {"events": []}, "wrong")
    assert len(_kept(cloud)) == PER_MINUTE + 1


def test_operators_are_told_why_of_what_was_kept(
    cloud: Cloud, function: Function, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The diagnosis finds the secret of another system, and shows nothing that the manifest redacts."""
    monkeypatch.setattr(Place, "output", lambda _self, _name: cloud.payloads)
    cloud.put_secret("xero/hook", HOOK_SECRET)
    cloud.put_secret("other/hook", "the-other-secret")
    content = {"events": [], "email": "ann@example.com"}
    assert function.sent("xero", content, "the-other-secret")["statusCode"] == 401

    (found,) = refusals.diagnose_kept(place, "xero", last=5, now=NOW + 10)
    assert [each.kind for each in found.findings] == ["secret"]
    assert "other/hook of other" in found.findings[0].text
    assert not found.valid
    shown = f"{found.title} {found.findings} {found.shown}"
    for hidden in ("ann@example.com", "the-other-secret", HOOK_SECRET, "x-hook-signature"):
        assert hidden not in shown
    assert refusals.diagnose_kept(place, "xero", last=5, now=NOW + 3601) == []
