"""YAML with the scalars of JSON: what is read, what is refused, and what people are told."""

from __future__ import annotations

import pytest

from causeway.plan.problems import Place
from causeway.plan.yaml import DEEPEST, LARGEST, UnreadableError, parse, read


def refusal(text: str) -> str:
    with pytest.raises(UnreadableError) as caught:
        parse(text, "map.yaml")
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0]).removeprefix("map.yaml:")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-3", -3),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ('"true"', "true"),
    ],
)
def test_scalars_are_those_of_json(written, meant):
    value = parse(f"a: {written}\n", "map.yaml").value["a"]
    assert (value, type(value)) == (meant, type(meant))


@pytest.mark.parametrize(
    "text",
    [
        *("no", "yes", "on", "off", "y", "N"),  # a country, and others that YAML 1.1 makes true and false
        *("2024-01-01", "2024-01-01T10:00:00Z"),
        *("010", "0o17", "0x1F", "0b1", "1_000", "1:30", "1:30:00"),  # octal, hexadecimal, binary, base 60
        *("+1", ".5", "1.", ".inf", ".nan", "-.inf", "1e", "nan", "NaN", "Infinity"),
        *("=", "<<", "tRUE", "nULL", "None"),
    ],
)
def test_everything_else_is_a_text(text):
    assert parse(f"a: {text}\n", "map.yaml").value == {"a": text}


def test_keys_are_texts_as_they_are_written():
    assert parse("{no: 1, 010: 2, true: 3, null: 4, 2024-01-01: 5, <<: 6}", "map.yaml").value == {
        "no": 1,
        "010": 2,
        "true": 3,
        "null": 4,
        "2024-01-01": 5,
        "<<": 6,
    }


def test_every_value_has_its_place():
    document = parse("a: 1\nb:\n  - x: 2\n  - {y: [3, 4]}\n", "map.yaml")
    assert document.place(("a",)) == Place("map.yaml", 1, 1)
    assert document.place(("b", 0)) == Place("map.yaml", 3, 5)
    assert document.place(("b", 1, "y", 1)) == Place("map.yaml", 4, 13)
    assert document.place(("b", 0, "missing", 7)) == Place("map.yaml", 3, 5), "else what would hold it"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("filter: !data.x\n", "1: filter: `!` begins a tag in YAML, not a text: put the value in quotes"),
        (
            "a: !!python/object:os.system x\n",
            "1: a: `!` begins a tag in YAML, not a text: put the value in quotes",
        ),
        ("a: *b\n", "1: a: `*` begins an alias in YAML, not a text: put the value in quotes"),
        ("a: &b c\n", "1: a: `&` begins an anchor in YAML, not a text: put the value in quotes"),
        ("a: * b\n", "1: a: a text cannot begin with `*`: put it in quotes"),
        ("a: &b.c\n", "1: a: a text cannot begin with `*` or `&`: put it in quotes"),
        ("x: 1\na:{}\nb: 1\n", "2: a: a key needs `: ` behind it: a colon and a space"),
        (
            "a: {filter: data['x']}\n",
            "1: a: inside `{...}` or `[...]` a text with brackets or quotes needs quotes around it",
        ),
        ("a: `300` < status\n", "1: a: a text cannot begin with ```: put it in quotes"),
        ("a: @\n", "1: a: a text cannot begin with `@`: put it in quotes"),
        ("a: %x\n", "1: a: a text cannot begin with `%`: put it in quotes"),
        ("a:\n\tb: 1\n", "2: b: a tab: YAML is indented with spaces"),
        ("a: {b: ${data.x}}\n", "1: a: inside `{...}` or `[...]` a text with `${` needs quotes around it"),
        ("a: [${data.x}]\n", "1: a: inside `{...}` or `[...]` a text with `${` needs quotes around it"),
        ("a: b: c\n", "1: a: a text with `: ` in it needs quotes around it (or indent this line)"),
        (
            "filter: 'open' == data.x\n",
            (
                "1: filter: does not belong here: put the whole text in quotes, if it is one text, or look at the "
                "indentation"
            ),
        ),
        ("events: [*]\n", "1: events: a text cannot begin with `*`: put it in quotes"),
        ('a: 1\nb: "c\nd: 2\n', "2: b: this quote is never closed"),
        ("a: [1, 2\n", "1: a: this bracket is never closed"),
        ("a: {b: {c: 1}\n", "1: a: this bracket is never closed"),
        (r'a: "\d+"', "1: a: in double quotes a backslash begins an escape: use single quotes"),
        ("a: 1\n---\nb: 2\n", "2: one file is one manifest: `---` may not follow"),
        ("a: 1\nb: 2\na: 3\n", "3: a: this key is there twice, first in line 1"),
        ("a: {x: {b: 1, b: 2}}\n", "1: a.x.b: this key is there twice, first in line 1"),
        ("a: 1e999\n", "1: a: a number that is too large; put it in quotes to mean text"),
        (f"a: {'9' * 400}\n", "1: a: a number that is too large; put it in quotes to mean text"),
        ("{[a]: 1}\n", "1: a key is a text; if this is one, put it in quotes"),
        ("", "1: a manifest is `key: value` lines; this has none"),
        ("# nothing but a comment\n", "1: a manifest is `key: value` lines; this has none"),
        ("- a\n", "1: a manifest is `key: value` lines; this has none"),
        ("a: \x07\n", "1: a control character; remove it"),
    ],
)
def test_what_cannot_be_read_comes_with_its_remedy(text, told):
    assert refusal(text) == told


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("memo: Order #${data.name}\n", 1),
        ("a: 1 # ${x}\n", 1),
        ("a: 1\n# filter: ${x}\n", 2),
        ("a: [1, # ${x}\n  2]\n", 1),
        ("a: |\n  text\n# ${x}\n", 3),
    ],
)
def test_a_comment_with_an_expression_was_meant_as_a_text(text, line):
    told = refusal(text)
    assert told.startswith(f"{line}: ")
    assert "put the whole text in quotes" in told


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"Order #${data.name}"', "Order #${data.name}"),
        ("'a # ${x}'", "a # ${x}"),
        ("a#${x}", "a#${x}"),
        ("|\n  a # ${x}", "a # ${x}\n"),
        (">-\n  a\n  # ${x}", "a # ${x}"),
    ],
)
def test_a_number_sign_inside_a_text_is_no_comment(text, value):
    assert parse(f"memo: {text}\n", "map.yaml").value["memo"] == value


def test_all_that_yaml_would_misread_is_told_at_once():
    with pytest.raises(UnreadableError) as caught:
        parse("a: !x 1\nb: *c\nd: e #${f}\n", "map.yaml")
    assert [problem.place.line for problem in caught.value.problems] == [1, 2, 3]


def test_a_value_is_never_repeated_in_what_is_told_of_a_tag():
    """Somebody's password may begin with an exclamation mark."""
    assert "hunter2" not in refusal("password: !hunter2\n")


def test_an_escaped_character_is_what_json_makes_of_it():
    assert parse(r'{"\ud83d\ude00": "\ud83d\ude00 \u00e9"}', "map.yaml").value == {"😀": "😀 é"}
    assert refusal(r'a: "\ud83d"') == "1: a: half a character (a lone surrogate): write the character itself"


def test_files_are_bounded(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_bytes(b"a: " + b"x" * LARGEST)
    with pytest.raises(UnreadableError, match="larger than"):
        read(path, "map.yaml")
    assert parse("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1), "map.yaml")
    assert "nested deeper than 64 levels" in refusal("a: " + "[" * 100_000)


def test_files_are_utf_8_with_or_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_bytes("\ufeffa: é\r\n".encode())
    assert read(path, "map.yaml").value == {"a": "é"}
    path.write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(UnreadableError, match=r"map\.yaml:2: not UTF-8"):
        read(path, "map.yaml")
