"""The commands that read and write maps, as people run them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from causeway_cli.main import COMMANDS, main
from causeway_cli.maps import spell_duration
from tests.support.maps import SIMPLE, copy_text, write_map

ROOT = Path(__file__).parents[3]


@pytest.fixture
def causeway(monkeypatch, capsys):
    """Run the command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["causeway", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setenv("NO_COLOR", "1")
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def simple(tmp_path):
    return write_map(tmp_path / "map", SIMPLE)


@pytest.fixture
def broken(tmp_path):
    return write_map(
        tmp_path / "map", SIMPLE | {"copy.yaml": copy_text(errors="{attempts: 0}", flow="{filter: a}")}
    )


@pytest.mark.parametrize(
    "command", [*COMMANDS, *("new system", "new integration", "secrets put", "secrets list")]
)
def test_every_command_has_help_with_an_example(causeway, command):
    code, out, _ = causeway(*command.split(), "--help")
    assert code == 0
    assert "Example: causeway" in " ".join(out.split())


def test_help_lists_the_commands_and_imports_none_of_them():
    script = (
        "import sys; sys.argv = ['causeway', '--help']; from causeway_cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(sorted({'pydantic', 'yaml', 'rich', 'jmespath', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *listed, imported = done.stdout.splitlines()
    assert imported == "[]"
    assert {line.split()[0] for line in listed if line.startswith("  ") and line.split()} >= set(COMMANDS)


def test_the_version_is_printed(causeway):
    assert causeway("--version") == (0, "causeway 0.1.0\n", "")


def test_wrong_usage_is_exit_code_2(causeway):
    code, out, err = causeway("chekc")
    assert (code, out) == (2, "")
    assert "No such command 'chekc'" in err


@pytest.mark.parametrize("command", [("dev", "--port"), ("authorize", "crm", "--port")])
@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_there_is_not_is_wrong_usage(causeway, command, port):
    code, _, err = causeway(*command, port)
    assert code == 2
    assert "--port" in err


def test_check_says_that_a_map_is_right_and_when_its_deliveries_are_tried_again(causeway, simple):
    code, out, err = causeway("check", simple)
    assert (code, err) == (0, "")
    assert "5s 15s 45s 2m15s 6m45s ... 6h; dead after 21 attempts or 3d" in out
    assert out.endswith("The map is right. It compiles for dev, production, staging.\n")


def test_check_shows_all_errors_and_ends_with_1(causeway, broken):
    code, out, err = causeway("check", broken)
    assert (code, err) == (1, "")
    assert f"{broken}/copy.yaml:7: errors.attempts: must be unlimited or a number of at least 1\n" in out
    assert "flow.filter: `a`: there is no a here" in out
    assert out.endswith("\n2 errors\n")


def test_check_prints_json(causeway, simple, broken):
    code, out, _ = causeway("check", broken, "--json")
    found = json.loads(out)
    assert (code, found["ok"], found["schedules"]) == (1, False, [])
    assert {
        "severity": "error",
        "file": f"{broken}/copy.yaml",
        "line": 7,
        "column": 10,
        "key": "errors.attempts",
        "message": "must be unlimited or a number of at least 1",
        "environments": [],
    } in found["problems"]
    write_map(simple, SIMPLE)
    code, out, _ = causeway("check", simple, "--json")
    found = json.loads(out)
    assert (code, found["ok"]) == (0, True)
    assert found["schedules"][0]["waits"][:3] == [5.0, 15.0, 45.0]
    assert found["schedules"][0]["environments"] == ["dev", "production", "staging"]


def test_a_schedule_that_differs_by_environment_is_shown_with_them(causeway, simple):
    write_map(simple, {"environments/dev.yaml": "integrations: {copy: {errors: {attempts: 2}}}\n"})
    _, out, _ = causeway("check", simple)
    lines = [line.rstrip() for line in out.splitlines() if line.startswith("copy ")]
    assert lines == [
        "copy         5s 15s 45s 2m15s 6m45s ... 6h; dead after 21 attempts or 3d  production, staging",
        "copy         5s; dead after 2 attempts or 3d                              dev",
    ]


def test_check_shows_by_what_an_integration_keeps_an_order(causeway, simple):
    text = (simple / "copy.yaml").read_text()
    (simple / "copy.yaml").write_text(text.replace("flow: {}", "flow: {order_by: data.customer}"))
    code, out, _ = causeway("check", simple)
    assert code == 0
    assert "dead after 21 attempts or 3d; in order of data.customer" in out


POLLED = """
system: hub
api: {base_url: "https://hub.example.com/api"}
polls:
  items: {every: 10m, get: /items, records: body.items, id: id, version: rev}
  nightly: {cron: "30 2 * * *", get: /all, records: body, id: id}
"""
TAKEN = {
    "systems/hub.yaml": POLLED,
    "copy.yaml": copy_text(source="{system: hub, poll: items}"),
    "nightly.yaml": copy_text(integration="nightly", source="{system: hub, poll: nightly}"),
}


def test_check_shows_when_each_poll_runs(causeway, simple):
    write_map(simple, TAKEN)
    _, out, _ = causeway("check", simple)
    assert re.search(r"^hub/items +every 10m +\d{4}-\d\d-\d\dT\d\d:\d0:00Z *$", out, re.MULTILINE)
    assert re.search(r"^hub/nightly +at 30 2 \* \* \* \(UTC\) +\S+T02:30:00Z *$", out, re.MULTILINE)
    _, out, _ = causeway("check", simple, "--json")
    assert [poll["runs"] for poll in json.loads(out)["polls"]] == ["every 10m", "at 30 2 * * * (UTC)"]


def test_map_shows_polls(causeway, simple):
    write_map(simple, TAKEN)
    _, out, _ = causeway("map", simple)
    assert re.search(r"^copy +hub +poll items +desk", out, re.MULTILINE)
    _, out, _ = causeway("map", simple, "--format", "json")
    (hub,) = [system for system in json.loads(out)["systems"] if system["name"] == "hub"]
    assert hub["polls"] == {"items": "every 10m", "nightly": "at 30 2 * * * (UTC)"}


def test_a_record_of_a_poll_can_be_tried(causeway, simple, tmp_path):
    write_map(simple, TAKEN)
    record = tmp_path / "record.json"
    record.write_text('{"id": 7, "rev": 2, "name": "a"}')
    code, out, err = causeway("try", "copy", record, "--integrations", simple)
    assert (code, err) == (0, "")
    assert "7@2" in out
    assert '"name": "a"' in out


def test_compile_writes_the_plan_of_every_environment(causeway, simple, tmp_path):
    code, out, _ = causeway("compile", simple, "--out", tmp_path / "out")
    assert code == 0
    assert out == f"wrote dev, production, staging to {tmp_path}/out/plan\n"
    assert json.loads((tmp_path / "out" / "plan" / "dev.json").read_bytes())["environment"] == "dev"


def test_what_a_command_wrote_can_be_had_as_json(causeway, simple, tmp_path):
    _, compiled, _ = causeway("compile", simple, "--out", tmp_path / "out", "--json")
    assert json.loads(compiled) == {
        "plan": f"{tmp_path}/out/plan",
        "environments": ["dev", "production", "staging"],
    }
    _, made, _ = causeway("new", "system", "shop", "--integrations", tmp_path, "--json")
    assert json.loads(made) == {"path": f"{tmp_path}/systems/shop.yaml"}


def test_compile_writes_nothing_of_a_map_with_errors(causeway, broken, tmp_path):
    code, out, err = causeway("compile", broken, "--out", tmp_path / "out")
    assert (code, out) == (1, "")
    assert err.endswith(f"causeway: {broken} does not compile: 2 errors\n")
    assert not (tmp_path / "out").exists()


def test_a_map_that_is_not_there_is_told(causeway, tmp_path):
    code, out, _ = causeway("check", tmp_path / "nowhere")
    assert code == 1
    assert out == f"{tmp_path}/nowhere: there is no such directory\n\n1 error\n"


def test_map_draws_who_sends_what_to_whom_owned_by_whom(causeway):
    _, out, _ = causeway("map", ROOT / "integrations")
    rows = [line.split() for line in out.splitlines()]
    assert ["integration", "from", "events", "by", "way", "of", "to", "owner"] in rows
    lake = "payments-to-lake payments payment_intent.*, charge.* bucket example-lake data-platform"
    assert lake.split() in rows


def test_map_draws_for_mermaid(causeway):
    _, out, _ = causeway("map", ROOT / "integrations", "--format", "mermaid")
    assert out.splitlines()[0] == "flowchart LR"
    assert '  s_github -- "pull-requests-to-chat<br/>pull_request<br/>developer-experience" --> s_chat' in out


def test_map_draws_a_step_to_another_system(causeway, simple):
    other = "system: other\napi: {base_url: 'https://other.example.com'}\n"
    flow = "{steps: [{name: a, system: other, get: /a}]}"
    write_map(simple, {"systems/other.yaml": other, "copy.yaml": copy_text(flow=flow)})
    _, out, _ = causeway("map", simple, "--format", "mermaid")
    assert '  s_hub -. "copy: step" .-> s_other' in out


def test_map_prints_json_of_the_environment_that_is_asked_for(causeway):
    _, out, _ = causeway("map", ROOT / "integrations", "--format", "json", "--environment", "staging")
    found = json.loads(out)
    assert found["environment"] == "staging"
    assert [integration["name"] for integration in found["integrations"]] == [
        "orders-to-ledger",
        "pull-requests-to-chat",
    ]
    assert {
        "name": "shop",
        "description": "The online shop, on Shopify.",
        "sends": True,
        "is_called": False,
        "polls": {},
    } in found["systems"]
    code, _, err = causeway("map", ROOT / "integrations", "--environment", "prod")
    assert (code, err) == (
        1,
        "causeway: there is no environment 'prod'; there are: dev, production, staging\n",
    )


def test_schema_prints_or_writes_the_schemas(causeway, tmp_path):
    _, out, _ = causeway("schema")
    assert set(json.loads(out)) == {"system", "integration", "environment"}
    causeway("schema", "--out", tmp_path / "schemas")
    assert json.loads((tmp_path / "schemas" / "system.schema.json").read_text()) == json.loads(out)["system"]


def test_new_manifests_pass_check_once_they_are_filled_in(causeway, tmp_path):
    directory = tmp_path / "map"
    assert causeway("new", "system", "shop", "--integrations", directory)[0] == 0
    assert causeway("new", "integration", "shop-to-shop", "--integrations", directory)[0] == 0
    code, out, _ = causeway("check", directory)
    assert code == 1
    assert {line.split(": ")[1] for line in out.splitlines() if "empty" in line} == {
        *("owner.team", "owner.email", "source.system", "target.system"),
    }
    path = directory / "shop-to-shop.yaml"
    text = path.read_text().replace("system:\n", "system: shop\n").replace("team:", "team: a")
    path.write_text(text.replace("email:", "email: a@example.com"))
    assert causeway("check", directory)[0] == 0


def test_new_overwrites_nothing_and_wants_a_name(causeway, tmp_path):
    assert causeway("new", "system", "shop", "--integrations", tmp_path)[0] == 0
    before = (tmp_path / "systems" / "shop.yaml").read_text()
    code, _, err = causeway("new", "system", "shop", "--integrations", tmp_path)
    assert (code, err) == (
        1,
        f"causeway: {tmp_path}/systems/shop.yaml is there already: nothing is overwritten\n",
    )
    assert (tmp_path / "systems" / "shop.yaml").read_text() == before
    for name in ("Shop", "../shop", "a" * 49, ""):
        code, _, err = causeway("new", "integration", name, "--integrations", tmp_path)
        assert code == 1
        assert "must be a name" in err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (5, "5s"), (135, "2m15s"), (3600, "1h"), (90061, "1d1h1m1s"), (11685, "3h14m45s")],
)
def test_durations_are_spelled(seconds, text):
    assert spell_duration(seconds) == text
