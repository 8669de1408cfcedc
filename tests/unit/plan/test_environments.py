"""Environments: partial manifests merged over the map."""

from __future__ import annotations

from tests.support.maps import SIMPLE, compiled, copy_text, errors, plan, problems

DESK = {
    "systems/desk.yaml": "system: desk\napi: {base_url: https://a.example.com, headers: {A: '1', B: '2'}}\n"
}


def test_dev_staging_and_production_are_compiled_and_every_file_besides(tmp_path):
    assert sorted(compiled(tmp_path, {"environments/preview.yaml": "systems: {}\n"}).plans) == [
        "dev",
        "preview",
        "production",
        "staging",
    ]


def test_objects_merge_and_lists_and_scalars_replace(tmp_path):
    files = DESK | {
        "environments/dev.yaml": """
            systems: {desk: {api: {base_url: https://b.example.com, headers: {B: '3'}, retry_on: [timeout]}}}
        """
    }
    plans = compiled(tmp_path, files).plans
    assert plans["dev"]["systems"]["desk"]["api"]["base_url"] == "https://b.example.com"
    assert plans["dev"]["systems"]["desk"]["api"]["headers"] == {"A": "1", "B": "3"}
    assert plans["dev"]["integrations"]["copy"]["target"]["call"]["retry_on"] == ["timeout"]
    assert plans["production"]["systems"]["desk"]["api"]["base_url"] == "https://a.example.com"
    assert plans["production"]["systems"]["desk"]["api"]["headers"] == {"A": "1", "B": "2"}


def test_null_removes_a_key(tmp_path):
    files = DESK | {"environments/dev.yaml": "systems: {desk: {api: {headers: {A: null}}}}\n"}
    assert plan(tmp_path, files)["systems"]["desk"]["api"]["headers"] == {"B": "2"}


def test_null_switches_an_integration_off(tmp_path):
    plans = compiled(tmp_path, {"environments/staging.yaml": "integrations: {copy: null}\n"}).plans
    assert plans["staging"]["integrations"] == {}
    assert list(plans["dev"]["integrations"]) == ["copy"]


def test_constants_differ_by_environment(tmp_path):
    files = {
        "copy.yaml": copy_text(constants="{channel: a, codes: {EU: 1}}"),
        "environments/dev.yaml": "integrations: {copy: {constants: {channel: b, codes: {US: 2}}}}\n",
    }
    assert plan(tmp_path, files)["integrations"]["copy"]["constants"] == {
        "channel": "b",
        "codes": {"EU": 1, "US": 2},
    }


def test_a_mistake_in_an_environment_is_told_with_its_place_there(tmp_path):
    files = {
        "environments/dev.yaml": """
            systems:
              desk:
                api:
                  timeout: 10
        """
    }
    assert errors(tmp_path, files) == [
        "environments/dev.yaml:4: systems.desk.api.timeout: must be a duration such as 30s, 10m, 6h or 3d (in dev)"
    ]


def test_a_removed_key_that_must_be_there_is_told_with_the_place_of_the_null(tmp_path):
    (error,) = errors(tmp_path, {"environments/dev.yaml": "systems:\n  desk: {api: {base_url: null}}\n"})
    assert error.startswith(
        "environments/dev.yaml:2: systems.desk.api.base_url: missing: where its paths begin"
    )


def test_a_system_that_an_environment_removes_is_missed_there(tmp_path):
    assert errors(tmp_path, {"environments/dev.yaml": "systems: {desk: null}\n"}) == [
        "copy.yaml:5: target.system: there is no system 'desk' in systems/; there are: hub (in dev)"
    ]


def test_a_mistake_in_the_map_itself_is_told_once_for_all_environments(tmp_path):
    assert errors(tmp_path, {"copy.yaml": copy_text(errors="{attempts: 0}")}) == [
        "copy.yaml:7: errors.attempts: must be unlimited or a number of at least 1"
    ]


def test_what_an_environment_mends_is_told_for_the_others(tmp_path):
    files = {
        "systems/desk.yaml": "system: desk\napi: {}\n",
        "environments/dev.yaml": "systems: {desk: {api: {base_url: https://desk.example.com}}}\n",
    }
    (error,) = errors(tmp_path, files)
    assert error.startswith("systems/desk.yaml:2: api.base_url: missing")
    assert error.endswith("(in production, staging)")


def test_an_environment_speaks_only_of_what_is_there(tmp_path):
    files = {
        "environments/dev.yaml": """
            systems:
              dsek: {api: {timeout: 1s}}
              desk: {api: {mtls: null}}
            integration: {}
        """
    }
    assert errors(tmp_path, files) == [
        "environments/dev.yaml:2: systems.dsek: there is no such manifest; did you mean 'desk'? (in dev)",
        "environments/dev.yaml:3: systems.desk.api.mtls: null removes a key, and there is none (in dev)",
        "environments/dev.yaml:4: integration: unknown key; did you mean 'integrations'?",
    ]


def test_in_an_environment_nothing_need_differ(tmp_path):
    assert "qa" in compiled(tmp_path, {"environments/qa.yaml": "# as it is\n"}).plans


def test_an_environments_name_is_a_name(tmp_path):
    (error,) = errors(tmp_path, {"environments/Pre View.yaml": "systems: {}\n"})
    assert error.startswith("environments/Pre View.yaml: the file's name must be a name")


def test_a_system_that_is_used_in_one_environment_only_is_noted_for_the_others(tmp_path):
    remarks = problems(tmp_path, SIMPLE | {"environments/dev.yaml": "integrations: {copy: null}\n"})
    noted = [str(remark).removeprefix(f"{tmp_path}/") for remark in remarks if "uses" in remark.message]
    assert noted == [
        "systems/desk.yaml:1: note: system: no integration uses this system (in dev)",
        "systems/hub.yaml:1: note: system: no integration uses this system (in dev)",
    ]
