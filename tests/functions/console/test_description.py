"""The description: whole, valid, true of every answer, and found true by who knows nothing else."""

import copy
import re
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.specs.openapi.checks import unsupported_method

from causeway.api.description import describe
from causeway.api.routes import OPERATIONS
from causeway.events.identity import delivery_id
from causeway.settings.clock import from_rfc3339
from tests.support.console import Console
from tests.support.deliveries import Stage, plan_of
from tests.support.watching import Watched

NAME = "orders-to-ledger"
DOCUMENT = describe(OPERATIONS)


def filled():
    """A stage on which there is some of everything."""
    stage = Stage(plan_of(errors={"retry": {"first": 1e5, "factor": 1.0, "max": 1e5}}))
    for number in range(9):
        stage.target.on("/entries", (200, 400, 500)[number % 3])
        stage.accept(f"evt_{number}")
        stage.invoke()
    stage.clock.advance(1)
    return stage


def closed(schema):
    """The same, in which nothing more may be than is described."""
    schema = copy.deepcopy(schema)
    rest = [schema]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            if "properties" in one and "additionalProperties" not in one:
                one["additionalProperties"] = False
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)
    return schema


def check(name, value):
    root = {"components": {"schemas": closed(DOCUMENT["components"]["schemas"])}}
    root |= {"$ref": f"#/components/schemas/{name}"}
    Draft202012Validator(root, format_checker=FormatChecker()).validate(value)


def test_it_is_openapi_3_1():
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    assert DOCUMENT["openapi"] == "3.1.0"


def test_it_is_served():
    assert Console(Stage()).get("/api/openapi.json", said={}).body == DOCUMENT


def test_every_route_says_all_of_itself():
    for operation in OPERATIONS:
        said = DOCUMENT["paths"][operation.path][operation.method.lower()]
        assert said["summary"].endswith(".")
        assert said["security"] == ([{"client": [operation.scope]}] if operation.scope else [])
        for parameter in said["parameters"]:
            assert parameter["description"]
            Draft202012Validator(parameter["schema"]).validate(parameter["example"])
        assert {"429", "500", "503"} < said["responses"].keys()
        assert not operation.scope or {"401", "403"} < said["responses"].keys()
        if "requestBody" in said:
            content = said["requestBody"]["content"]["application/json"]
            Draft202012Validator(content["schema"]).validate(content["example"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_an_example_is_what_its_schema_says(operation):
    if operation.schema != "Description":
        check(operation.schema, operation.example)


def test_answers_are_what_their_schemas_say_and_nothing_besides():
    console = Console(filled())
    console.post(f"/api/integrations/{NAME}/pause", {"reason": "why"})
    delivery = delivery_id("shop", "evt_1", NAME)
    check("Integrations", console.get("/api/integrations").body)
    check("Findings", console.get("/api/findings").body)
    Watched(console.stage).minutes(1)
    console.stack.forget()
    found = console.get("/api/findings").body
    assert {each["check"] for each in found["findings"]} == {"dead", "paused"}
    check("Findings", found)
    check("Deliveries", console.get("/api/deliveries", "limit=2").body)
    check("DeliveryInFull", console.get(f"/api/deliveries/{delivery}").body)
    check("DeliveriesOfEvent", console.get("/api/events/shop/evt_1").body)
    check("Paused", console.post(f"/api/integrations/{NAME}/pause", {"reason": "again"}).body)
    check("Resumed", console.post(f"/api/integrations/{NAME}/resume").body)
    one = console.post(f"/api/deliveries/{delivery}/replay")
    check("Replay", one.body)
    check("Replay", console.get(one.headers["location"]).body)
    many = console.post("/api/replays", {"all": True, "rate": 1})
    check("Replay", many.body)
    check("Replay", console.delete(many.headers["location"]).body)
    check("Problem", console.get("/api/deliveries", "limit=x").body)
    check("Problem", console.get("/api/deliveries", said={}).body)


NOT_OURS = [unsupported_method]
"""What has no route is answered by the gateway: with 404, also where a path knows other methods."""

CONSOLE = Console(filled())
SCHEMA = schemathesis.openapi.from_wsgi("/api/openapi.json", CONSOLE.wsgi)
NAME_OF_THE_MAP = re.compile("[a-z][a-z0-9-]{0,47}")
CURSOR = CONSOLE.get("/api/deliveries", "limit=1").body["cursor"]


def known(case):
    """The same, with what exists in the place of names and cursors that could exist, and spans that begin first."""
    for said in (case.query, case.body):
        if isinstance(said, dict):
            if isinstance(name := said.get("integration"), str) and NAME_OF_THE_MAP.fullmatch(name):
                said["integration"] = NAME
            if isinstance(cursor := said.get("cursor"), str) and 0 < len(cursor) <= 200:
                said["cursor"] = CURSOR
            if isinstance(said.get("since"), str) and isinstance(said.get("until"), str):
                with suppress(ValueError):  # which is for the API to tell
                    said["since"], said["until"] = sorted((said["since"], said["until"]), key=from_rfc3339)
    return case


@SCHEMA.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_who_knows_nothing_but_the_description_finds_it_true(case):
    """Answers of described statuses, types and schemas to requests that it allows, refusals of others, no 500."""
    known(case).call_and_validate(headers={"Authorization": "Bearer good"}, excluded_checks=NOT_OURS)
