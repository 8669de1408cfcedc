"""What holds for every map: reading never fails otherwise than it says, and what compiles is what functions load."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from causeway.plan.compiler import compile_map, write
from causeway.plan.plan import load
from causeway.plan.problems import InvalidMapError
from causeway.plan.yaml import UnreadableError, parse

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)
IDENTIFIERS = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
DURATIONS = st.builds("{}{}".format, st.integers(1, 999), st.sampled_from("smhd"))
QUESTIONS = st.sampled_from(
    ["data.ok", "type == 'a'", "to_number(data.n) > `0`", 'headers."x-a" != `null`', "!(data.x)"]
)
ANSWERED = st.sampled_from(["body.ok", "status < `300`", "body.ok == `true`", "contains(['a'], body.error)"])
LITERALS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs",), exclude_characters="${}'\"?#"), max_size=10
)
PRINTABLE = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="${}'\"?#"), max_size=10
)
EMBEDDED = st.sampled_from(["${id}", "${data.a}", "$${", "${lookup(data, 'a', 'b')}"])
TEXTS = st.lists(st.one_of(LITERALS, EMBEDDED)).map("".join)
HEADERS = st.lists(st.one_of(PRINTABLE, EMBEDDED)).map("".join)
PATHS = st.lists(st.sampled_from(["/in", "/${id}", "/a-b", "/${data.items[?a == `{}`] | [0].b}"])).map(
    "".join
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
BODIES = st.recursive(
    st.one_of(SCALARS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(LITERALS, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def calls(draw, system):
    method = draw(st.sampled_from(["get", "post", "put", "patch", "delete"]))
    required = {"system": system, method: draw(PATHS)}
    optional = {
        "query": st.dictionaries(
            st.sampled_from("abc"), st.one_of(TEXTS, st.integers(), st.lists(TEXTS, max_size=2))
        ),
        "headers": st.dictionaries(st.sampled_from(["X-A", "x-b"]), HEADERS),
        "body": BODIES,
        "when": QUESTIONS,
        "reads": st.booleans(),
        "timeout": DURATIONS,
        "success_when": ANSWERED,
        "retry_when": ANSWERED,
        "retry_on": st.lists(st.sampled_from(["connection", "timeout", 429, "500-599", "!503"])),
    }
    return required | draw(st.fixed_dictionaries({}, optional=optional))


@st.composite
def integrations(draw, name, senders, called):
    steps = draw(st.lists(IDENTIFIERS, max_size=3, unique=True))
    return {
        "integration": name,
        "owner": {
            "team": draw(st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)),
            "email": "a@example.com",
        },
        "source": {
            "system": draw(st.sampled_from(senders)),
            "events": draw(st.lists(st.just("a.*"), min_size=1, max_size=2)),
        },
        "constants": draw(st.dictionaries(IDENTIFIERS, st.one_of(SCALARS, LITERALS), max_size=3)),
        "flow": {
            "steps": [{"name": step} | draw(calls(draw(st.sampled_from(called)))) for step in steps],
            **draw(st.fixed_dictionaries({}, optional={"filter": QUESTIONS})),
        },
        "target": draw(calls(draw(st.sampled_from(called)))),
        "frequency": {"expect_every": draw(st.one_of(st.just("never"), DURATIONS))},
        "errors": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "attempts": st.one_of(st.just("unlimited"), st.integers(1, 50)),
                    "give_up_after": DURATIONS,
                    "retry": st.fixed_dictionaries(
                        {}, optional={"first": DURATIONS, "factor": st.floats(1, 10)}
                    ),
                },
            )
        ),
    }


@st.composite
def maps(draw):
    """The files of a map; JSON is YAML, so its manifests are written as JSON."""
    names = draw(
        st.lists(
            NAMES.filter(lambda name: name not in ("bus", "requests")), min_size=2, max_size=5, unique=True
        )
    )
    senders, called = names[: len(names) // 2], names[len(names) // 2 :]
    files = {}
    for name in senders:
        scheme = draw(st.sampled_from(["github", "stripe", "standard-webhooks"]))
        files[f"systems/{name}"] = {
            "system": name,
            "webhooks": {"scheme": scheme, "secrets": [f"{name}/webhook"]},
        }
    for name in called:
        api = {"base_url": f"https://{name}.example.com", "timeout": draw(DURATIONS)}
        files[f"systems/{name}"] = {"system": name, "api": api}
    for name in draw(st.lists(NAMES, max_size=3, unique=True)):
        files[name] = draw(integrations(name, senders, called))
    files["environments/dev"] = {"systems": {called[0]: {"api": {"timeout": draw(DURATIONS)}}}}
    return files


@settings(max_examples=40, deadline=None)
@given(files=maps())
def test_any_map_that_compiles_is_what_functions_load_and_compiles_to_the_same_again(files):
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        for name, manifest in files.items():
            path = directory / "map" / f"{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(manifest), encoding="utf-8")
        compiled = compile_map(directory / "map")
        write(compiled, directory / "out")
        for environment, record in compiled.plans.items():
            loaded = load(directory / "out" / "plan", environment)
            assert loaded.record == record
            for integration in record["integrations"].values():
                assert integration in loaded.fed_by(integration["source"]["system"])
                for call in [integration["target"]["call"], *(step["call"] for step in integration["steps"])]:
                    assert "api" in record["systems"][call["system"]]
        assert compile_map(directory / "map").plans == compiled.plans


@given(
    value=st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.recursive(
            st.one_of(SCALARS, st.text(st.characters(codec="utf-8"))),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=5,
        ),
        max_size=4,
    )
)
def test_json_means_in_a_manifest_what_it_means(value):
    assert parse(json.dumps(value), "map.yaml").value == value


@settings(max_examples=300)
@given(
    text=st.one_of(
        st.text(max_size=60),
        st.text(alphabet="ab:-#'\"{}[]$!&*?|>@`%,\n\t ~01.", max_size=60),
        st.lists(
            st.sampled_from(
                ["a: ", "- ", "${x}", "#", "\n", "  ", "'", "{", "}", "!x", "&a ", "*a", "|\n", "? "]
            )
        ).map("".join),
    )
)
def test_any_text_is_read_or_refused_with_a_place(text):
    try:
        problems = [] if parse(text, "map.yaml") else None
    except UnreadableError as error:
        problems = error.problems
    assert problems is not None
    assert all(problem.place.file == "map.yaml" and problem.message for problem in problems)


WRONG = st.one_of(
    BODIES,
    st.sampled_from(
        ["", "${", "a b", "0s", "-1s", "100%", "http://[", "https://a:b@c", "transforms.a:b", "${steps.a?}"]
    ),
    st.dictionaries(
        st.sampled_from(["system", "get", "type", "scheme", "secret", "name", "run", "poll"]), SCALARS
    ),
)
"""Values that are wrong at most places of a manifest, and dangerous to code that trusts them."""


def places(value, path=()):
    """All places of a manifest."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(value, path, to):
    """The manifest with another value at a place."""
    if not path:
        return to
    key, *rest = path
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[key] = changed(value[key], rest, to)
    return copied


RIGHT = {
    "systems/hub": {
        "system": "hub",
        "redact": ["data.a"],
        "webhooks": {
            "scheme": [
                "github",
                {
                    "algorithm": "hmac-sha256",
                    "header": "X-S",
                    "signed": "{id}.{body}",
                    "id": 'headers."x-id"',
                },
            ],
            "secrets": ["hub/webhook"],
            "tolerance": "5m",
            "reply": {"status": 200, "headers": {"X-A": "b"}},
        },
    },
    "systems/desk": {
        "system": "desk",
        "api": {
            "base_url": "http://10.0.0.1/api",
            "auth": {"type": "basic", "username": "me", "password": "desk/password"},
            "headers": {"X-A": "b"},
            "retry_on": [429, "500-599"],
            "allow_private": ["10.0.0.0/8"],
        },
    },
    "copy": {
        "integration": "copy",
        "owner": {"team": "desk", "email": "desk@example.com"},
        "source": {"system": "hub", "events": ["*"]},
        "constants": {"a": {"b": 1}},
        "flow": {
            "filter": "data.ok",
            "steps": [
                {"name": "one", "system": "desk", "get": "/a"},
                {"name": "two", "run": "transforms.a:b"},
            ],
        },
        "target": {
            "system": "desk",
            "post": "/in",
            "query": {"a": ["${id}"]},
            "body": {"x": "${steps.one.body}"},
        },
        "frequency": {"expect_every": "6h", "during": "always"},
        "errors": {"retry": {"first": "5s"}, "attempts": 3},
    },
    "environments/dev": {"systems": {"desk": {"api": {"timeout": "3s"}}}, "integrations": {}},
}
PLACES = [(name, path) for name, manifest in RIGHT.items() for path in places(manifest)]


@settings(max_examples=250, deadline=None)
@given(wrongs=st.lists(st.tuples(st.sampled_from(PLACES), WRONG), min_size=1, max_size=2))
@example([(("copy", ("target", "post")), None)])  # a method without a path
@example(
    [(("systems/desk", ("api", "allow_private")), {"system": False})]
)  # ipaddress takes False for 0.0.0.0
def test_a_map_compiles_or_is_told_what_is_wrong_with_it_whatever_stands_in_it(wrongs):
    files = dict(RIGHT)
    for (name, path), wrong in wrongs:
        if path in set(places(files[name])):
            files[name] = changed(files[name], path, wrong)
    with tempfile.TemporaryDirectory() as folder:
        for name, manifest in files.items():
            target = Path(folder, f"{name}.yaml")
            target.parent.mkdir(exist_ok=True)
            target.write_text(json.dumps(manifest), encoding="utf-8")
        Path(folder, "transforms").mkdir()
        Path(folder, "transforms", "a.py").write_text("def b(scope): return scope\n")
        try:
            plans = compile_map(Path(folder)).plans
        except InvalidMapError as error:
            problems = error.problems
            assert problems
        else:
            assert json.loads(json.dumps(plans, allow_nan=False)) == plans
