"""What `sam build` leaves is what Lambda needs: the right processor, bytecode that is used, nothing in excess."""

from __future__ import annotations

import json
import platform
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tests.support.template import functions

ELF_MACHINES = {"x86_64": 62, "arm64": 183}
"""https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html and its later machine numbers."""

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: function and layers together."""

LAYERS = ("CausewayLayer", "DependenciesLayer", "PlanLayer")


@pytest.fixture(scope="session")
def architecture(built):
    """What it was built for: the folder is named for it."""
    return built.parent.name


@pytest.fixture(scope="session")
def python_of_the_runtime():
    """An interpreter of the runtime's version, if there is one here."""
    candidates = [shutil.which("python3.13"), *Path.home().glob(".pyenv/versions/3.13.*/bin/python")]
    for candidate in filter(None, candidates):
        asked = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info[:2])"],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.stdout.strip() == "(3, 13)":
            return str(candidate)
    pytest.skip("no Python 3.13 here: the build made no bytecode")


def test_compiled_libraries_are_for_the_processor(built, architecture):
    libraries = sorted((built / "DependenciesLayer").rglob("*.so"))
    assert libraries
    for library in libraries:
        assert struct.unpack_from("<H", library.read_bytes(), 18) == (ELF_MACHINES[architecture],), (
            library.name
        )


def test_what_functions_import_has_bytecode_that_is_used_unchecked(built, python_of_the_runtime):
    """Lambda's files have no times that could be compared, so other bytecode would be made anew in each cold start."""
    ask = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    magic = bytes.fromhex(
        subprocess.run([python_of_the_runtime, "-c", ask], capture_output=True, text=True, check=True).stdout
    )
    for name in (*LAYERS, *functions()):
        for source in (built / name).rglob("*.py"):
            cached = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            header = cached.read_bytes()[:8]
            assert header[:4] == magic, cached
            assert struct.unpack("<I", header[4:]) == (0b01,), f"{cached}: hash-based, unchecked"


def test_tracebacks_show_files_where_lambda_has_them(built, python_of_the_runtime):
    show = "import marshal, sys; print(marshal.loads(open(sys.argv[1], 'rb').read()[16:]).co_filename)"
    places = {
        "CausewayLayer/python/causeway/__pycache__/__init__.cpython-313.pyc": "/opt/python/causeway/__init__.py",
        "WebhookFunction/__pycache__/app.cpython-313.pyc": "/var/task/app.py",
    }
    for cached, expected in places.items():
        told = subprocess.run(
            [python_of_the_runtime, "-c", show, built / cached], capture_output=True, text=True, check=True
        )
        assert told.stdout.strip() == expected


def test_every_environments_plan_is_there(built):
    plans = {
        path.stem: json.loads(path.read_bytes()) for path in (built / "PlanLayer" / "plan").glob("*.json")
    }
    assert {"dev", "staging", "production"} <= set(plans)
    for name, plan in plans.items():
        assert plan["environment"] == name


def test_functions_are_their_handler_and_nothing_else(built):
    for name in functions():
        files = {path.name for path in (built / name).iterdir()}
        assert files <= {"app.py", "__pycache__"}, name


def test_it_is_far_below_lambdas_limit(built):
    size = sum(path.stat().st_size for name in LAYERS for path in (built / name).rglob("*") if path.is_file())
    assert size < UNZIPPED_LIMIT / 4


def test_every_function_can_be_imported_from_what_was_built(built, architecture, python_of_the_runtime):
    """By the runtime's Python, with nothing of this checkout or its environment on the path."""
    if platform.machine() != {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]:
        pytest.skip("built for another processor")
    path = ":".join(str(built / layer / "python") for layer in LAYERS)
    for name in functions():
        loaded = subprocess.run(
            [
                python_of_the_runtime,
                "-P",
                "-S",
                "-c",
                "import app, causeway, sys; assert callable(app.handler); print(causeway.__cached__)",
            ],
            env={"PYTHONPATH": f"{built / name}:{path}", "AWS_DEFAULT_REGION": "eu-central-1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert loaded.returncode == 0, loaded.stderr
        assert loaded.stdout.startswith(str(built / "CausewayLayer"))
