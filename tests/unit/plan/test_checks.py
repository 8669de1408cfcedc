"""What is right only together: names that lead somewhere, expressions that can work, URLs that may be called."""

from __future__ import annotations

import pytest

from causeway.plan.compiler import compile_map
from causeway.plan.problems import InvalidMapError
from tests.support.maps import copy_text, errors, problems, told, told_of_webhooks


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
        "to_entry: object = print",
        "try:\n    from other import to_entry\nexcept ImportError:\n    to_entry = print",
        "if print:\n    pass\nelse:\n    def to_entry(scope): ...",
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
    assert errors(tmp_path, {"other.yml": "", "more.YAML": "", "system/shop.yaml": ""}) == [
        "more.YAML: not read: a manifest's name ends in .yaml",
        "other.yml: not read: a manifest's name ends in .yaml",
        "system/shop.yaml: not read: manifests are in the map's directory, in systems/ or environments/",
    ]


def test_a_directory_without_manifests_is_probably_another_one(tmp_path):
    (remark,) = compile_map(tmp_path).remarks
    assert (remark.severity, remark.message) == (
        "warning",
        "no manifest is here: integrations are *.yaml in it, systems in systems/",
    )


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InvalidMapError, match="there is no such directory"):
        compile_map(tmp_path / "nowhere")


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
            "webhooks.scheme.signed: {id} needs `id: headers.NAME`, which says where it is",
        ),
        (
            "{algorithm: hmac-sha256, header: X-S, signed: '{boddy}'}",
            (
                "webhooks.scheme.signed: {boddy} is not known; there are {body}, {timestamp}, {method}, {url}, {path}, "
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


def test_of_a_map_that_is_right_there_is_nothing_to_say(tmp_path):
    assert problems(tmp_path) == []
