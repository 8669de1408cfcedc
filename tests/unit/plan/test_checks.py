"""What is right only together: names that lead somewhere, expressions that can work, URLs that may be called."""

from __future__ import annotations

import pytest

from causeway.plan.compiler import compile_map
from causeway.plan.problems import InvalidMapError
from tests.support.maps import copy_text, errors, problems


def told(directory, **changed):
    """What is told of the simple integration with these keys changed, without its place."""
    return [error.split(": ", 1)[1] for error in errors(directory, {"copy.yaml": copy_text(**changed)})]


def told_of_api(directory, api):
    """What is told of a called system with these keys."""
    text = f"system: desk\napi: {{{api}}}\n"
    return [error.split(": ", 1)[1] for error in errors(directory, {"systems/desk.yaml": text})]


def told_of_webhooks(directory, webhooks):
    """What is told of a sending system with these keys."""
    text = f"system: hub\nwebhooks: {{{webhooks}}}\n"
    return [error.split(": ", 1)[1] for error in errors(directory, {"systems/hub.yaml": text})]


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"source": "{system: hup, events: ['*']}"},
            "source.system: there is no system 'hup' in systems/; did you mean 'hub'?",
        ),
        (
            {"source": "{system: desk, events: ['*']}"},
            "source.system: desk: it sends nothing: its manifest has no `webhooks`",
        ),
        (
            {"target": "{system: hub, post: /in}"},
            "target.system: hub: it cannot be called: its manifest has no `api`",
        ),
        (
            {"flow": "{steps: [{name: a, system: desc, get: /a}]}"},
            "flow.steps[0].system: there is no system 'desc' in systems/; did you mean 'desk'?",
        ),
        (
            {"flow": "{steps: [{name: a, system: desk, get: /a}, {name: a, system: desk, get: /b}]}"},
            "flow.steps[1].name: 'a' is the name of an earlier step: choose another",
        ),
        (
            {"flow": "{steps: [{name: a, run: transforms.order:to_entry}]}"},
            "flow.steps[0].run: there is no transforms/order.py; did you mean 'orders'?",
        ),
        (
            {"flow": "{steps: [{name: a, run: transforms.orders:to_entries}]}"},
            "flow.steps[0].run: transforms/orders.py has no to_entries; did you mean 'to_entry'?",
        ),
        (
            {"integration": "copies"},
            "integration: the file is called copy.yaml: file and integration have one name",
        ),
    ],
)
def test_names_lead_somewhere(tmp_path, changed, message):
    files = {"copy.yaml": copy_text(**changed), "transforms/orders.py": "def to_entry(scope): return scope\n"}
    assert [error.split(": ", 1)[1] for error in errors(tmp_path, files)] == [message]


@pytest.mark.parametrize(
    "source",
    [
        "def to_entry(scope): ...",
        "from other import to_entry",
        "from other import x as to_entry",
        "to_entry = print",
    ],
)
def test_a_transform_is_found_without_running_it(tmp_path, source):
    files = {
        "copy.yaml": copy_text(flow="{steps: [{name: a, run: transforms.orders:to_entry}]}"),
        "transforms/orders.py": f"raise SystemExit\n{source}\n",
    }
    assert errors(tmp_path, files) == []


@pytest.mark.parametrize("name", ["bus", "requests"])
def test_reserved_names_are_no_systems(tmp_path, name):
    (error,) = errors(
        tmp_path, {f"systems/{name}.yaml": f"system: {name}\napi: {{base_url: 'https://a.example.com'}}\n"}
    )
    assert "is a reserved name" in error


def test_a_file_that_cannot_be_read_is_told_once_and_not_missed_elsewhere(tmp_path):
    assert errors(tmp_path, {"systems/desk.yaml": "system: desk\napi: @\n"}) == [
        "systems/desk.yaml:2: api: a text cannot begin with `@`: put it in quotes"
    ]


def test_files_that_look_like_manifests_and_would_not_be_read_are_told(tmp_path):
    assert errors(tmp_path, {"other.yml": "", "system/shop.yaml": ""}) == [
        "other.yml: not read: a manifest's name ends in .yaml",
        "system/shop.yaml: not read: manifests are in the map's directory, in systems/ or environments/",
    ]


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InvalidMapError, match="there is no such directory"):
        compile_map(tmp_path / "nowhere")


# --- expressions and texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"flow": "{filter: dat.ok}"},
            (
                "flow.filter: `dat.ok`: there is no dat here, only constants, data, data_base64, headers, id, source, "
                "time, type; did you mean data?"
            ),
        ),
        (
            {"flow": '{filter: "${data.ok}"}'},
            "flow.filter: this key is an expression as a whole: write it without `${` and `}`",
        ),
        (
            {"flow": "{filter: steps.a.body.ok, steps: [{name: a, system: desk, get: /a}]}"},
            (
                "flow.filter: `steps.a.body.ok`: there is no steps here, only constants, data, data_base64, headers, id, "
                "source, time, type"
            ),
        ),
        (
            {"target": "{system: desk, post: /in, success_when: data.ok}"},
            "target.success_when: `data.ok`: there is no data here, only body, headers, status",
        ),
        (
            {"target": "{system: desk, post: /in, retry_when: body.error = 'busy'}"},
            "target.retry_when: `body.error = 'busy'`: Unknown token '=' at character 12",
        ),
        (
            {"target": "{system: desk, post: /in, body: '${steps.account.body.id}'}"},
            "target.body: `steps.account.body.id`: there is no steps.account; there are none",
        ),
        (
            {"target": "{system: desk, post: /in, body: '${constants.acount}'}", "constants": "{account: 1}"},
            "target.body: `constants.acount`: there is no constants.acount; did you mean 'account'?",
        ),
        (
            {
                "flow": "{steps: [{name: a, system: desk, get: '/${steps.b.body}'}, {name: b, system: desk, get: /b}]}"
            },
            "flow.steps[0].get: `steps.b.body`: the step 'b' is not done yet here: it comes later",
        ),
        (
            {"flow": "{steps: [{name: a, system: desk, get: '/a', when: steps.a.status}]}"},
            "flow.steps[0].when: `steps.a.status`: the step 'a' is not done yet here: it comes later",
        ),
        (
            {"target": "{system: desk, post: /in, body: {a: [{b: '${data.x'}]}}"},
            "target.body.a[0].b: the brace of ${ is never closed, at character 1",
        ),
        (
            {"target": "{system: desk, post: /in, headers: {X-A: '${lookup(data.a)}'}}"},
            "target.headers.X-A: `lookup(data.a)`: lookup() takes 3 arguments, not 1",
        ),
        (
            {"constants": "{note: 'for ${data.name}'}"},
            "constants.note: taken as it is: no expression can stand here",
        ),
        (
            {"source": "{system: hub, events: ['${x}']}"},
            "source.events[0]: taken as it is: no expression can stand here",
        ),
    ],
)
def test_an_expression_that_can_never_work_is_told(tmp_path, changed, message):
    assert told(tmp_path, **changed) == [message]


def test_a_number_in_an_expression_stands_between_backticks(tmp_path):
    """A filter that compares with a bare number is not JMESPath; one that compares with a text is never true."""
    (message,) = told(tmp_path, flow="{filter: data.total > 0}")
    assert "a number is written `300`, between backticks" in message


def test_an_expression_uses_steps_before_it_and_constants_that_are_there(tmp_path):
    assert (
        told(
            tmp_path,
            constants="{limit: 3}",
            flow="""{filter: to_number(data.total) > constants.limit, steps: [
                {name: a, system: desk, get: '/${data.id}'}, {name: b, system: desk, get: '/${steps.a.body.id}'}]}""",
            target="{system: desk, post: '/${steps.b.body.id}', when: 'steps.a.status == `200`'}",
        )
        == []
    )


@pytest.mark.parametrize(
    ("target", "warning"),
    [
        ("""{system: desk, get: /q, query: {q: "name = '${data.name}'"}}""", "an expression between quotes"),
        ("""{system: desk, get: "/q/'${data.name}'"}""", "an expression between quotes"),
        ("""{system: desk, post: /in, body: {name: data.name}}""", "to send the value write ${data.name}"),
    ],
)
def test_what_was_probably_meant_otherwise_is_a_warning(tmp_path, target, warning):
    remarks = problems(tmp_path, {"copy.yaml": copy_text(target=target)})
    assert [
        remark.message for remark in remarks if remark.severity == "warning" and warning in remark.message
    ]


def test_quotes_in_a_body_are_no_query(tmp_path):
    remarks = problems(
        tmp_path, {"copy.yaml": copy_text(target="""{system: desk, post: /in, body: "'${data.name}'"}""")}
    )
    assert not [remark for remark in remarks if remark.severity == "warning"]


def test_a_systems_headers_know_the_event_and_nothing_of_an_integration(tmp_path):
    assert told_of_api(tmp_path, "base_url: https://a.example.com, headers: {X-Id: '${id}'}") == []
    (message,) = told_of_api(tmp_path, "base_url: https://a.example.com, headers: {X-Id: '${steps.a}'}")
    assert "there is no steps here" in message


# --- calls ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("in", "a path below the system's base_url: it begins with one /"),
        ("//evil.example.com/in", "a path below the system's base_url: it begins with one /"),
        ("https://evil.example.com/in", "a path below the system's base_url: it begins with one /"),
        ("${data.url}", "a path below the system's base_url: it begins with one /"),
        ("/in?dry=1", "has a `?` or `#`: parameters stand in `query`, where they are encoded"),
        ("/in#a", "has a `?` or `#`: parameters stand in `query`, where they are encoded"),
        ("/a/../b", "leads elsewhere: a path has no . and no .. between its slashes"),
        ("/${data.id?}", "nothing can be left out of a path: write the expression without its `?`"),
    ],
)
def test_a_path_stays_below_its_base_url(tmp_path, path, message):
    assert told(tmp_path, target=f"{{system: desk, post: '{path}'}}") == [f"target.post: {message}"]


@pytest.mark.parametrize(
    "path", ["/in", "", "/a.b/..c", "/items/${data.items[?id == `1`] | [0].id}", "/a%2Fb"]
)
def test_a_path_may_hold_whatever_an_expression_holds(tmp_path, path):
    assert told(tmp_path, target=f"{{system: desk, post: '{path}'}}") == []


@pytest.mark.parametrize(
    ("api", "problem"),
    [
        ("base_url: http://desk.example.com", "must be https: http is only for private addresses"),
        ("base_url: http://8.8.8.8", "must be https: http is only for private addresses"),
        (
            "base_url: http://8.8.8.8, allow_private: [8.8.8.0/24]",
            "must be https: http is only for private addresses",
        ),
        ("base_url: http://127.0.0.1:9000", "127.0.0.1 is no public address"),
        ("base_url: http://localhost:9000", "127.0.0.1 is no public address"),
        ("base_url: https://10.0.0.1", "10.0.0.1 is no public address"),
        ("base_url: 'https://[::1]'", "::1 is no public address"),
        ("base_url: https://0x7f.1", "127.0.0.1 is no public address"),
        (
            "base_url: http://169.254.169.254, allow_private: [169.254.0.0/16]",
            "an address of the platform itself",
        ),
        ("base_url: ftp://desk.example.com", "a URL begins with https:// (or http://) and a host"),
        ("base_url: desk.example.com", "a URL begins with https:// (or http://) and a host"),
        ("base_url: 'https://me:secret@desk.example.com'", "a URL holds no user name or password: use auth"),
        (
            "base_url: 'https://desk.example.com/?a=1'",
            "a base URL has no query and no fragment: they belong to the call",
        ),
        ("base_url: 'https://${data.host}'", "taken as it is: no expression can stand here"),
    ],
)
def test_a_base_url_may_be_called(tmp_path, api, problem):
    (message,) = told_of_api(tmp_path, api)
    assert message.startswith("api.base_url: ")
    assert problem in message
    assert "secret@" not in message


@pytest.mark.parametrize(
    "api",
    [
        "base_url: https://desk.example.com:8443/v1/",
        "base_url: http://127.0.0.1:9000, allow_private: [127.0.0.0/8]",
        "base_url: http://localhost:9000, allow_private: [127.0.0.1/32, '::1/128']",
        "base_url: http://desk.internal, allow_private: [10.0.0.0/8]",
        "base_url: 'http://[fd00::1]', allow_private: ['fd00::/8']",
    ],
)
def test_private_addresses_may_be_called_where_allow_private_names_them(tmp_path, api):
    assert told_of_api(tmp_path, api) == []


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ("{Host: a}", "belongs to the connection"),
        ("{content-length: '1'}", "belongs to the connection"),
        ("{Idempotency-Key: a}", "set by Causeway on every call"),
        ("{Authorization: Bearer abc}", "a credential is never written in a manifest"),
    ],
)
def test_headers_that_no_manifest_sets(tmp_path, headers, problem):
    (message,) = told_of_api(tmp_path, f"base_url: https://a.example.com, headers: {headers}")
    assert problem in message
    (message,) = told(tmp_path, target=f"{{system: desk, post: /in, headers: {headers}}}")
    assert problem in message


def test_an_authorization_header_may_be_a_secret(tmp_path):
    headers = "{Authorization: {secret: desk/authorization}}"
    assert told_of_api(tmp_path, f"base_url: https://a.example.com, headers: {headers}") == []


# --- schemes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("shopfy", "webhooks.scheme: there is no built-in scheme 'shopfy'; did you mean 'shopify'?"),
        (
            "[github, gitlub]",
            "webhooks.scheme[1]: there is no built-in scheme 'gitlub'; did you mean 'gitlab'?",
        ),
        (
            "{algorithm: hmac-sha256}",
            "webhooks.scheme.header: the signature's header must be named, or `signature` say where it is",
        ),
        (
            "{algorithm: hmac-sha256, header: X-S, timestamp: {header: X-T}}",
            "webhooks.scheme.signed: a timestamp must be described and signed, or anybody could set it",
        ),
        (
            "{algorithm: hmac-sha256, header: X-S, signed: '{id}'}",
            (
                "webhooks.scheme.signed: {id} is not known; there are {body}, {timestamp}, {method}, {url}, {path}, "
                "{query}, {form}, {secret}, {body_sha256}, {id}, {nonce}, {header:NAME}, {body.NAME}"
            ),
        ),
    ],
)
def test_a_scheme_can_verify(tmp_path, scheme, message):
    assert told_of_webhooks(tmp_path, f"scheme: {scheme}, secrets: [a]") == [message]


def test_a_scheme_is_data_or_code_and_not_both(tmp_path):
    for scheme in ("{header: X-S}", "{algorithm: token, header: X-S, code: twilio}"):
        (message,) = told_of_webhooks(tmp_path, f"scheme: {scheme}, secrets: [a]")
        assert message == "webhooks.scheme.algorithm: either this or `code` must be there"


def test_an_algorithm_that_never_was_is_told_with_all_that_are(tmp_path):
    (message,) = told_of_webhooks(tmp_path, "scheme: {algorithm: md5, header: X-S}, secrets: [a]")
    assert message.startswith("webhooks.scheme.algorithm: must be 'hmac-sha1', 'hmac-sha256'")


def test_a_stream_knows_no_order_by_key(tmp_path):
    found = told(tmp_path, flow="{order_by: data.id, buffer: stream}")
    assert "flow.order_by: goes only with `buffer: queue`" in found


def test_an_order_key_is_an_expression_over_the_event(tmp_path):
    (found,) = told(tmp_path, flow="{order_by: steps.a.id}")
    assert found.startswith("flow.order_by: `steps.a.id`: there is no steps here")


# --- canaries -------------------------------------------------------------------------------------------------------


def test_a_canary_needs_a_secret_that_signs(tmp_path):
    (message,) = told_of_webhooks(tmp_path, "scheme: discord, secrets: [a], canary: true")
    assert message.startswith("webhooks.canary: needs a scheme whose secret also signs")


@pytest.mark.parametrize("scheme", ["github", "standard-webhooks", "{algorithm: token, header: X-Token}"])
def test_one_that_has_it_is_told_what_else_is_needed(tmp_path, scheme):
    text = f"system: hub\nwebhooks: {{scheme: {scheme}, secrets: [a], canary: true}}\n"
    notes = [remark.message for remark in problems(tmp_path, {"systems/hub.yaml": text})]
    assert (
        "needs the stack's CanarySecrets to name this system's verifying secrets, or no canary is sent"
        in notes
    )


@pytest.mark.parametrize("webhooks", ["keep_rejected: 0s", "canary: false"])
def test_what_asks_for_nothing_may_be_written(tmp_path, webhooks):
    assert told_of_webhooks(tmp_path, f"scheme: github, secrets: [a], {webhooks}") == []


def test_that_nobody_is_told_of_failures_yet_is_noted(tmp_path):
    notes = [remark.message for remark in problems(tmp_path) if remark.severity == "note"]
    assert notes == [
        "`frequency` and `owner` are kept; in this version nobody is told yet when an integration fails"
    ]
