"""Who may do what: each route asks for its scope, and whatever is not clear is a refusal."""

import pytest

from causeway.api.app import make_app
from causeway.api.routes import OPERATIONS
from tests.support.console import ALL, Console, ask, authorizer
from tests.support.deliveries import Stage

GUARDED = [operation for operation in OPERATIONS if operation.scope]
SCOPES = {
    "GET /api/health": None,
    "GET /api/findings": "console:read",
    "GET /api/integrations": "console:read",
    "GET /api/deliveries": "console:read",
    "GET /api/deliveries/{id}": "console:read",
    "GET /api/events/{system}/{id}": "console:read",
    "POST /api/deliveries/{id}/replay": "console:operate",
    "POST /api/replays": "console:operate",
    "GET /api/replays/{id}": "console:operate",
    "DELETE /api/replays/{id}": "console:operate",
    "POST /api/integrations/{name}/pause": "console:operate",
    "POST /api/integrations/{name}/resume": "console:operate",
    "GET /api/openapi.json": None,
}


def by_id(operation):
    return operation.id


def path_of(operation):
    path = operation.path
    for parameter in operation.parameters:
        path = path.replace(f"{{{parameter.name}}}", str(parameter.example))
    return path


def body_of(operation):
    members = {each.name: each.example for each in operation.parameters if each.place == "body"}
    return members or None


@pytest.fixture(scope="module")
def console():
    return Console(Stage())


def test_the_routes_are_these_and_no_more():
    assert {f"{each.method} {each.path}": each.scope for each in OPERATIONS} == SCOPES


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"lambda": None},
        {"lambda": {}},
        {"lambda": {"client": "key:ann"}},
        {"lambda": {"scopes": ALL}},
        {"lambda": {"client": "", "scopes": ALL}},
        {"lambda": {"client": "key:ann", "scopes": ALL.split()}},
        {"lambda": {"client": "key:ann", "scopes": None}},
        {"jwt": {"scopes": ALL.split(), "claims": {"sub": "ann"}}},
    ],
)
@pytest.mark.parametrize("operation", GUARDED, ids=by_id)
def test_nobody_whom_the_authorizer_does_not_name_gets_in(console, operation, said):
    answered = ask(console.app, operation.method, path_of(operation), said=said)
    assert answered.status == 401
    assert answered.headers["www-authenticate"] == "Bearer"
    assert answered.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "scopes", ["", "requests:call", "console", "console:reads", "console:read,console:operate", "OTHER"]
)
@pytest.mark.parametrize("operation", GUARDED, ids=by_id)
def test_another_scope_is_not_enough(console, operation, scopes):
    said = authorizer(scopes=scopes)
    assert ask(console.app, operation.method, path_of(operation), said=said).status == 403


@pytest.mark.parametrize("operation", GUARDED, ids=by_id)
def test_the_other_scope_of_the_console_is_not_enough(console, operation):
    (other,) = {"console:read", "console:operate"} - {operation.scope}
    said = authorizer(scopes=other)
    assert ask(console.app, operation.method, path_of(operation), said=said).status == 403


@pytest.mark.parametrize("operation", GUARDED, ids=by_id)
def test_its_own_scope_is_enough(console, operation):
    said = authorizer(scopes=f"requests:call {operation.scope}")
    answered = ask(console.app, operation.method, path_of(operation), body=body_of(operation), said=said)
    assert answered.status in (operation.status, *operation.problems)


@pytest.mark.parametrize("operation", GUARDED, ids=by_id)
def test_who_may_not_learns_nothing_of_what_they_ask_for(console, operation):
    """Neither whether it is there, nor whether they asked rightly."""
    answered = ask(console.app, operation.method, path_of(operation), query="no=sense", body="{", said={})
    assert answered.status == 401
    assert set(answered.body) == {"type", "title", "status", "detail"}


def test_what_anyone_may_know_needs_nobodys_name_no_map_and_no_aws():
    def no_stack():
        raise AssertionError("the stack was asked for")

    app = make_app(no_stack)
    assert ask(app, "GET", "/api/health", said={}).body == {"status": "ok"}
    assert ask(app, "GET", "/api/openapi.json", said={}).body["openapi"] == "3.1.0"
