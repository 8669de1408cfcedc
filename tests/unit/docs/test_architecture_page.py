"""What the page says of modules holds: which there are, and that imports point from what knows more to less."""

import ast
import re
from collections import Counter
from graphlib import TopologicalSorter
from itertools import accumulate, islice
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
LIBRARY = ROOT / "layers" / "causeway" / "causeway"
SOURCES = [LIBRARY, ROOT / "cli" / "causeway_cli", ROOT / "functions"]


def name_of(path):
    """A module's, as the page writes it: without the library's own name."""
    parts = list(path.relative_to(LIBRARY if LIBRARY in path.parents else ROOT).with_suffix("").parts)
    return ".".join(part for part in parts if part not in ("__init__", "cli"))


MODULES = {name_of(path): path for source in SOURCES for path in source.rglob("*.py") if name_of(path)}
LAYERS = [
    line.partition("#")[0].split()
    for line in re.search(r"```layers\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}


def above(name):
    """A name, and the packages it is in, the longest first."""
    return reversed(list(accumulate(name.split("."), "{}.{}".format)))


def entry_of(name):
    return next((each for each in above(name) if each in LAYER), None)


def ours(name):
    """What a module of ours imports of ours, by name: in functions and for types alone, too."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        taken = []
        if isinstance(node, ast.Import):
            taken = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            taken = [f"{node.module}.{each.name}" for each in node.names]
        for each in taken:
            yield from islice((one for one in above(each.removeprefix("causeway.")) if one in MODULES), 1)


def test_imports_point_down_the_list():
    for name in MODULES:
        entry = entry_of(name)
        assert entry, f"{name} is nowhere in the list"
        for taken in set(map(entry_of, ours(name))) - {entry}:
            assert LAYER[taken] > LAYER[entry], f"{name} imports {taken}"


def test_every_line_of_the_list_is_of_modules_that_are_there_and_imported():
    assert {entry_of(name) for name in MODULES} == set(LAYER)


def test_no_module_imports_itself_by_way_of_others():
    """Not for types either: a cycle is one module in several files."""
    graph = {name: set(ours(name)) - {name} for name in MODULES}
    TopologicalSorter(graph).prepare()  # raises CycleError


def named(section):
    """The modules of a table's first column; one that begins with a dot is in the package of that before it."""
    for cell in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE):
        package = ""
        for name in re.findall(r"`([^`]+)`", cell):
            whole = package + name if name.startswith(".") else name
            package = whole.removesuffix(".*").rpartition(".")[0]
            yield whole.removesuffix(".*")


def section(title):
    return re.search(rf"^## {title}\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)[1]


@pytest.mark.parametrize(
    ("title", "package"),
    [("Modules", ""), ("The local cloud", "causeway_cli.local.")],
    ids=["library", "local"],
)
def test_the_tables_name_each_module_that_is_there_and_none_that_is_not(title, package):
    told = Counter(package + name for name in named(section(title)))
    there = {name for name in MODULES if name.startswith(package)}
    if not package:
        there = {name_of(path) for path in LIBRARY.rglob("*.py")} - {""}
    assert set(told) <= there
    assert max(told.values()) == 1
    packages = {name.rpartition(".")[0] for name in there}
    assert [name for name in sorted(there - packages) if not any(each in told for each in above(name))] == []
