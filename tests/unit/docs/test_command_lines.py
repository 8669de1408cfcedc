"""What the documentation tells to type is taken: every `causeway` command line, every target of `make`."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from typer._click.exceptions import UsageError
from typer.core import TyperGroup

from causeway_cli.main import Commands

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

FENCED = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`causeway ([a-z][^`]*)`")


def command_lines(page):
    """Those of its blocks, as somebody copies them: without comments, with lines that go on put together."""
    for block in FENCED.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"(?:\$ |\.venv/bin/)?causeway (.+)", line.strip())
            if found:
                yield re.split(r" *[|>&] ", found[1])[0].replace(" ...", "")


def mentions(page):
    """Those in its sentences, which may leave out what is not the point."""
    text = FENCED.sub("", page.read_text())
    return [" ".join(mention.split()) for mention in INLINE.findall(text)]


AWS = re.compile(r"(?=\baws ([a-z0-9-]+) ([a-z0-9-]+)([^\n|;`)]*))")
OF_ALL = {"--query", "--output", "--region", "--profile"}
COMMANDS_OF_ITS_OWN = {"s3"}
"""What the AWS CLI does not make of an API's description."""


def aws_lines(page):
    """AWS's own commands: service, operation and the options that follow."""
    text = page.read_text().replace("\\\n", " ")
    for service, operation, rest in AWS.findall(text):
        if service not in COMMANDS_OF_ITS_OWN:
            yield service, operation, tuple(re.findall(r"(?<= )--[a-z-]+", rest.partition("$(")[0]))


@cache
def operations(service):
    """The operations of a service by the AWS CLI's names, with their options."""
    model = botocore.session.get_session().get_service_model(service)
    return {
        xform_name(name, "-"): {
            "--" + xform_name(member, "-") for member in model.operation_model(name).input_shape.members
        }
        for name in model.operation_names
        if model.operation_model(name).input_shape
    }


def lines(found):
    return [(str(page.relative_to(ROOT)), line) for page in PAGES for line in found(page)]


def parse(command, name, words):
    """Parse as the command line does, down to the last subcommand; nothing is run.

    Raises:
        UsageError: It takes no such words.
    """
    context = command.make_context(name, list(words))
    rest = [*context._protected_args, *context.args] if isinstance(command, TyperGroup) else []
    if rest:
        found, inner, inner_words = command.resolve_command(context, rest)
        parse(inner, found, inner_words)


def refusal(words):
    """What the command line says of these words; None when it takes them."""
    try:
        parse(Commands(name="causeway", commands={}), "causeway", words)
    except UsageError as refused:
        return refused.format_message()
    return None


def known_options(words):
    """The options of the command that words lead to."""
    command, options = Commands(name="causeway", commands={}), set()
    for word in words:
        if not isinstance(command, TyperGroup):
            break
        inner = command.get_command(None, word)
        if inner is None:
            break
        command = inner
        options |= {name for parameter in command.params for name in parameter.opts}
    return options


@pytest.mark.parametrize(("page", "line"), lines(command_lines))
def test_a_command_line_of_a_block_can_be_copied(page, line):
    assert refusal(shlex.split(line, comments=True)) is None, page


@pytest.mark.parametrize(("page", "mention"), lines(mentions))
def test_a_command_that_is_mentioned_is_there_with_its_options(page, mention):
    words = shlex.split(mention.replace("...", ""), comments=True)
    options = known_options(words)
    assert options, f"{page}: there is no such command"
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, page


@pytest.mark.parametrize(("page", "line"), lines(aws_lines))
def test_a_command_of_aws_is_one_with_these_options(page, line):
    service, operation, options = line
    assert operation in operations(service), page
    assert set(options) <= operations(service)[operation] | OF_ALL, page


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_target_of_make_that_a_page_names_is_there(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", page.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("statos", "No such command"),
        ("status --quick", "No such option"),
        ("deliveries shows x", "No such command"),
        ("deliveries show", "Missing argument"),
        ("replay --rate fast", "Invalid value"),
    ],
)
def test_a_line_that_is_wrong_would_be_found(line, says):
    assert says in refusal(line.split())
