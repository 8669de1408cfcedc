"""Parameters that contradict each other, or a limit, are refused before anything is changed; CloudFormation decides.

By the engine of the emulator on which the template runs locally.
"""

from __future__ import annotations

import pytest
from ministack.services.cloudformation import engine

from tests.support.alarms import Alarms
from tests.support.resolving import Resolver
from tests.support.template import functions, resources, translated, written

PROVIDER = {
    "OidcIssuer": "https://id.example.com",
    "OidcAudience": "causeway",
    "OidcJwksUrl": "https://id.example.com/keys",
}
PAGE = {"ConsoleClientId": "page", "ConsoleTokenOrigin": "https://token.example.com"}


def deploy(**parameters):
    """What CloudFormation does before it begins; raises what it says."""
    given = [{"Key": name, "Value": value} for name, value in parameters.items()]
    template = translated()
    engine._check_rules_section(template)
    resolved = engine._resolve_parameters(template, given)
    engine._evaluate_rules(template, resolved, {})


@pytest.mark.parametrize(
    "parameters", [{}, PROVIDER, PROVIDER | PAGE, PROVIDER | {"ConsoleClientId": "page"}]
)
def test_what_belongs_together_is_taken(parameters):
    deploy(**parameters)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({**PROVIDER, "OidcAudience": ""}, "OidcIssuer needs OidcAudience"),
        ({**PROVIDER, "OidcJwksUrl": ""}, "OidcIssuer needs OidcJwksUrl"),
        ({"OidcAudience": "causeway"}, "OidcAudience and OidcJwksUrl need OidcIssuer"),
        ({"OidcJwksUrl": "https://id.example.com/keys"}, "OidcAudience and OidcJwksUrl need OidcIssuer"),
        ({"ConsoleClientId": "page"}, "ConsoleClientId needs OidcIssuer"),
        ({**PROVIDER, "ConsoleTokenOrigin": "https://x.example"}, "ConsoleTokenOrigin needs ConsoleClientId"),
    ],
)
def test_a_half_of_what_belongs_together_is_refused_with_the_other_half(parameters, message):
    with pytest.raises(ValueError, match=message):
        deploy(**parameters)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("AlarmRejectedShare", 100),
        ("AlarmRetriedShare", 100),
        ("AlarmNearTimeout", 100),
        ("AlarmInFlight", 120_000),
        ("AlarmReceivingLatency", 10_000),
        ("AlarmStreamAge", 72_000_000),
    ],
)
def test_a_threshold_that_nothing_could_cross_is_refused(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        deploy(**{parameter: str(value)})
    deploy(**{parameter: str(value - 1)})


@pytest.mark.parametrize(("parameter", "value"), [("AlarmNearTimeout", 90), ("AlarmPollAge", 419)])
def test_a_threshold_below_what_happens_on_purpose_is_refused(parameter, value):
    with pytest.raises(ValueError, match=parameter):
        deploy(**{parameter: str(value)})
    deploy(**{parameter: str(value + 1)})


def test_limits_of_thresholds_are_those_of_what_they_watch():
    """Where a timeout or a visibility changes, its threshold's bounds are to follow."""
    bounds = written()["Parameters"]
    polls = resources("AWS::SQS::Queue")["Polls"]["VisibilityTimeout"]
    stream = functions()["StreamFunction"]["Events"]["Records"]["Properties"]["MaximumRecordAgeInSeconds"]
    assert bounds["AlarmReceivingLatency"]["MaxValue"] == functions()["WebhookFunction"]["Timeout"] * 1000 - 1
    assert bounds["AlarmPollAge"]["MinValue"] == polls + functions()["PollerFunction"]["Timeout"]
    assert bounds["AlarmStreamAge"]["MaxValue"] == stream * 1000 - 1


@pytest.mark.parametrize("timeout", written()["Parameters"]["ProcessorTimeout"]["AllowedValues"])
def test_the_longest_delay_and_a_second_turn_are_no_old_messages_at_any_timeout(timeout):
    """Six timeouts are the queue's visibility: a fixed age would ring at one of them, or sleep at another."""
    resolver = Resolver(written(), {"ProcessorTimeout": timeout})
    visibility = resolver.resources("AWS::SQS::Queue")["Deliveries"]["VisibilityTimeout"]
    alarm = Alarms(ProcessorTimeout=timeout).single["DeliveriesWaitLong"]
    assert visibility == 6 * int(timeout)
    assert alarm.expression == f"MAX(FILL(METRICS(), 0)) - 900 - {visibility}"


@pytest.mark.parametrize(("level", "accepting"), [("DEBUG", "DEBUG"), ("INFO", "INFO"), ("ERROR", "INFO")])
def test_the_lines_from_which_the_books_are_kept_are_written_at_every_log_level(level, accepting):
    resolver = Resolver(written(), {"LogLevel": level})
    found = {
        name: resolver.value(function["LoggingConfig"])["ApplicationLogLevel"]
        for name, function in functions().items()
    }
    books = resources("AWS::Serverless::Function")["WatchdogFunction"]["Environment"]["Variables"]
    groups = resolver.value(books["CAUSEWAY_LOG_GROUPS"]).split(",")
    counted = {
        name for name, each in functions().items() if each["LoggingConfig"]["LogGroup"]["Ref"] in groups
    }
    assert counted == {"WebhookFunction", "PollerFunction", "RequestFunction"}
    assert found == {name: accepting if name in counted else level for name in functions()}
