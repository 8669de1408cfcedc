"""Expressions and texts that could never work, or that probably mean something else, are told."""

from __future__ import annotations

import pytest

from tests.support.maps import copy_text, problems, told, told_of_api


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
