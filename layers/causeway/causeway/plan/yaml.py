"""YAML with the scalars of JSON, and the place of every value.

YAML reads ``no`` as false, ``2024-01-01`` as a date, ``1:30`` as 90 and ``010`` as 8: surprises that end up
in other people's systems. Here a plain scalar is what JSON says it is, or a string. Anchors, aliases and tags
are refused: nobody needs them in a manifest, and ``!data.x`` is a tag to YAML and a question to its author.
"""

from __future__ import annotations

import math
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    TagToken,
)

from causeway.plan.problems import KeyPath, Place, Problem, Severity, key_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from causeway.plan.records import JSON

LARGEST = 1024 * 1024
"""Bytes that one file of a map may have."""

DEEPEST = 64
"""Levels that one file of a map may nest."""

_WORDS = {
    word: value
    for spellings, value in (
        (("null", "Null", "NULL", "~", ""), None),
        (("true", "True", "TRUE"), True),
        (("false", "False", "FALSE"), False),
    )
    for word in spellings
}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,308})\Z")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")

_OPENING = (BlockMappingStartToken, BlockSequenceStartToken, FlowMappingStartToken, FlowSequenceStartToken)
_CLOSING = (BlockEndToken, FlowMappingEndToken, FlowSequenceEndToken)

_REFUSED = {
    TagToken: "`!` begins a tag in YAML, not a text: put the value in quotes",
    AliasToken: "`*` begins an alias in YAML, not a text: put the value in quotes",
    AnchorToken: "`&` begins an anchor in YAML, not a text: put the value in quotes",
}

# (what YAML says, what stands before the place, what stands at it, the remedy): the first that fits.
_REMEDIES = (
    ("cannot start any token", "", "\t", "a tab: YAML is indented with spaces"),
    ("cannot start any token", "", "", "a text cannot begin with `{after}`: put it in quotes"),
    # Behind the * of an alias or the & of an anchor, or behind the name that follows it:
    ("expected alphabetic or numeric", "*", "", "a text cannot begin with `*`: put it in quotes"),
    ("expected alphabetic or numeric", "&", "", "a text cannot begin with `&`: put it in quotes"),
    ("expected alphabetic or numeric", "", "", "a text cannot begin with `*` or `&`: put it in quotes"),
    ("", "$", "{", "inside `{{...}}` or `[...]` a text with `${{` needs quotes around it"),
    (
        "mapping values are not allowed",
        "",
        "",
        "a text with `: ` in it needs quotes around it (or indent this line)",
    ),
    ("could not find expected ':'", "", "", "a key needs `: ` behind it: a colon and a space"),
    ("unexpected end of stream", "", "", "this quote is never closed"),
    ("<stream end>", "", "", "this bracket is never closed"),
    (
        "expected ',' or",
        "",
        "",
        "inside `{{...}}` or `[...]` a text with brackets or quotes needs quotes around it",
    ),
    ("unknown escape", "", "", "in double quotes a backslash begins an escape: use single quotes"),
    ("another document", "", "", "one file is one manifest: `---` may not follow"),
    (
        "expected <block end>",
        "",
        "",
        "does not belong here: put the whole text in quotes, if it is one text, or look at the indentation",
    ),
)


@dataclass(frozen=True)
class Document:
    """A file of the map: its values, and where each of them is."""

    file: str
    value: JSON
    places: dict[KeyPath, Place]
    over: KeyPath = ()  # where an environment's file has what is merged over this one

    def place(self, path: KeyPath) -> Place:
        """Where the value at this path is, or the nearest that is there and holds it."""
        while path not in self.places and path:
            path = path[:-1]
        return self.places.get(path, Place(self.file, 1, 1))

    def problem(self, path: KeyPath, message: str, severity: Severity = "error") -> Problem:
        """Something that is wrong at this path."""
        place = self.place(path)
        key = path if place.file == self.file else (*self.over, *path)
        return Problem(place, key_text(key), message, severity)


class UnreadableError(Exception):
    """A file that cannot be read as YAML of this kind."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


def read(path: Path, file: str, *, may_be_empty: bool = False) -> Document:
    """Read one file.

    Args:
        path: The file.
        file: How messages name it.
        may_be_empty: Whether nothing but comments is an object without keys.

    Raises:
        UnreadableError: it is too large, not UTF-8, or not YAML of this kind.
    """
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise UnreadableError([Problem(Place(file), "", f"larger than {LARGEST} bytes")])
    try:
        return parse(content.decode("utf-8-sig"), file, may_be_empty=may_be_empty)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError([Problem(Place(file, line), "", "not UTF-8")]) from error


def parse(text: str, file: str, *, may_be_empty: bool = False) -> Document:
    """Read a text; see :func:`read`."""
    try:
        problems = list(_refuse(text, file))
        if problems:
            raise UnreadableError(problems)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UnreadableError([_explain(error, text, file)]) from error
    if root is None and may_be_empty:
        return Document(file, {}, {})
    if not isinstance(root, MappingNode):
        raise UnreadableError(
            [Problem(Place(file, 1, 1), "", "a manifest is `key: value` lines; this has none")]
        )
    reader = _Reader(file)
    value = reader.value(root, ())
    if reader.problems:
        raise UnreadableError(reader.problems)
    return Document(file, value, reader.places)


class _Reader:
    """Turns YAML's nodes into JSON's values, and notes their places."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[KeyPath, Place] = {(): Place(file, 1, 1)}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: KeyPath) -> JSON:
        if isinstance(node, MappingNode):
            return self._object(node, path)
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self.places[(*path, index)] = _place(self.file, item.start_mark)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        if node.style is not None:
            return self._text(node, path)
        value = _scalar(node.value)
        if isinstance(value, float) and not math.isfinite(value):
            self._problem(node.start_mark, path, "a number that is too large; put it in quotes to mean text")
        return value

    def _object(self, node: MappingNode, path: KeyPath) -> dict[str, JSON]:
        found: dict[str, JSON] = {}
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._problem(key.start_mark, path, "a key is a text; if this is one, put it in quotes")
                continue
            name = self._text(key, path)
            here = (*path, name)
            if name in found:
                first = self.places[here].line
                self._problem(key.start_mark, here, f"this key is there twice, first in line {first}")
                continue
            self.places[here] = _place(self.file, key.start_mark)
            found[name] = self.value(value, here)
        return found

    def _text(self, node: ScalarNode, path: KeyPath) -> str:
        r"""A text, in which ``"\ud83d\ude00"`` is one character, as in JSON; YAML makes two halves of it."""
        text: str = node.value
        if text.isascii():
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            self._problem(
                node.start_mark, path, "half a character (a lone surrogate): write the character itself"
            )
            return ""

    def _problem(self, mark: yaml.Mark, path: KeyPath, message: str) -> None:
        self.problems.append(Problem(_place(self.file, mark), key_text(path), message))


def _place(file: str, mark: yaml.Mark) -> Place:
    return Place(file, mark.line + 1, mark.column + 1)


def _scalar(text: str) -> JSON:
    """What JSON makes of a plain scalar; what is nothing to JSON is a string."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _NUMBER.match(text):
        return float(text)
    return text


def _refuse(text: str, file: str) -> Iterator[Problem]:
    """Find what YAML would read and nobody means, in the scanner's tokens and in what is between them."""
    depth = 0
    end = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        yield from _comments(text, end, token.start_mark.index, file)
        end = max(end, token.end_mark.index)
        depth += isinstance(token, _OPENING)
        depth -= isinstance(token, _CLOSING)
        if depth > DEEPEST:
            yield Problem(_place(file, token.start_mark), "", f"nested deeper than {DEEPEST} levels")
            return
        if type(token) in _REFUSED:
            place = _place(file, token.start_mark)
            yield Problem(place, _key(text, token.start_mark.line), _REFUSED[type(token)])
    yield from _comments(text, end, len(text), file)


def _comments(text: str, start: int, end: int, file: str) -> Iterator[Problem]:
    """Refuse comments with ``${``: what stands between two tokens is white space and comments."""
    for comment in re.finditer(r"#[^\n]*", text[start:end]):
        if "${" in comment[0]:
            at = start + comment.start()
            place = Place(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
            yield Problem(
                place,
                _key(text, place.line - 1),
                f"YAML takes `{_shortened(comment[0])}` as a comment: if it is part of the text, put "
                "the whole text in quotes, else write the comment without `${`",
            )


def _shortened(text: str) -> str:
    return textwrap.shorten(text, 40, placeholder=" ...")


def _line(text: str, number: int) -> str:
    """The line with this number, from 0."""
    lines = text.splitlines()
    return lines[number] if number < len(lines) else ""


def _key(text: str, line: int) -> str:
    """The key that a line begins with."""
    found = re.match(r"""[\s\-{]*["']?([\w-]+)["']?\s*:""", _line(text, line))
    return found[1] if found else ""


def _explain(error: yaml.YAMLError, text: str, file: str) -> Problem:
    """Say what YAML could not read, and what to write instead."""
    mark: Any = getattr(error, "problem_mark", None)
    if mark is None:  # a character that may not stand in YAML at all
        position = getattr(error, "position", 0)
        return Problem(Place(file, text.count("\n", 0, position) + 1), "", "a control character; remove it")
    message = str(getattr(error, "problem", ""))
    # Where it begins says more than that the file has ended, or that another line follows:
    if ("end" in message and "stream" in message) or "could not find expected ':'" in message:
        mark = getattr(error, "context_mark", None) or mark
    line = _line(text, mark.line)
    remedy = _remedy(message, line[: mark.column], line[mark.column :])
    return Problem(_place(file, mark), _key(text, mark.line), remedy)


def _remedy(message: str, before: str, after: str) -> str:
    """What to write instead, from YAML's message and the two parts of the line where it stopped."""
    for says, ends, begins, remedy in _REMEDIES:
        if says in message and before.endswith(ends) and after.startswith(begins):
            return remedy.format(before=before[-1:], after=after[:1])
    return f"YAML cannot read this: {message}"
