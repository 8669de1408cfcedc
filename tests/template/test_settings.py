"""The template, the library and the deploy settings speak of the same things."""

from __future__ import annotations

import tomllib

import pytest

from causeway.settings.environment import Setting, Settings
from tests.support.template import ROOT, functions, references, resources, service, variables, written

PARAMETERS = written()["Parameters"]
INTERFACE = written()["Metadata"]["AWS::CloudFormation::Interface"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())
STAGES = [name for name in CONFIG if name != "version"]


OWN = {
    "AuthorizerFunction": {"CAUSEWAY_OIDC_ISSUER", "CAUSEWAY_OIDC_AUDIENCE", "CAUSEWAY_OIDC_JWKS_URL"},
    "ConsoleFunction": {
        "CAUSEWAY_OIDC_ISSUER",
        "CAUSEWAY_OIDC_AUDIENCE",
        "CAUSEWAY_CONSOLE_CLIENT_ID",
        "CAUSEWAY_CONSOLE_SCOPE",
        "CAUSEWAY_CONSOLE_TOKEN_ORIGIN",
        "CAUSEWAY_RUNBOOK_BASE",
        "CAUSEWAY_STACK",
    },
    "WatchdogFunction": {
        "CAUSEWAY_STACK",
        "CAUSEWAY_LOG_GROUPS",
        "CAUSEWAY_OWNERS_TOPIC",
        "CAUSEWAY_REMIND_AFTER",
        "CAUSEWAY_STRAYS_URLS",
        "CAUSEWAY_CONSOLE_URL",
    },
}
"""Settings that one function alone is told."""


def test_every_function_gets_every_setting_that_the_library_reads_and_no_other():
    read = {each.variable for each in vars(Settings).values() if isinstance(each, Setting)}
    for name, function in functions().items():
        told = {variable for variable in variables(function) if variable.startswith("CAUSEWAY_")}
        assert told == read - set().union(*OWN.values()) | OWN.get(name, set()), name


def test_a_function_is_named_in_logs_and_metrics_as_its_stack_and_its_folder():
    """By the stack, too: its metrics would be those of every stack in the account and region otherwise."""
    for function in functions().values():
        folder = function["CodeUri"].removeprefix("functions/")
        assert service(function) == f"${{AWS::StackName}}-{folder}"
        assert "-" not in folder  # `causeway tail` shows what follows the last one
        assert variables(function)["POWERTOOLS_METRICS_NAMESPACE"] == "Causeway"


def test_every_function_of_the_stack_is_in_its_folder():
    folders = {f"functions/{path.parent.name}" for path in ROOT.glob("functions/*/app.py")}
    assert {function["CodeUri"] for function in functions().values()} == folders


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_has_a_default_a_description_a_place_and_a_use(name):
    assert "Default" in PARAMETERS[name]
    assert PARAMETERS[name]["Description"].endswith(".")
    assert [name in group["Parameters"] for group in INTERFACE["ParameterGroups"]].count(True) == 1
    used = {key: written()[key] for key in ("Globals", "Conditions", "Resources", "Outputs")}
    assert name in set(references(used))


def test_the_interface_names_no_parameter_that_is_not_there():
    assert {name for group in INTERFACE["ParameterGroups"] for name in group["Parameters"]} == set(PARAMETERS)


@pytest.mark.parametrize("stage", STAGES)
def test_deploy_settings_name_parameters_that_exist_and_values_that_they_take(stage):
    for pair in CONFIG[stage]["deploy"]["parameters"]["parameter_overrides"]:
        name, _, value = pair.partition("=")
        allowed = PARAMETERS[name].get("AllowedValues")
        assert allowed is None or value in map(str, allowed), pair


def test_every_stage_is_a_stack_of_its_own_with_the_environment_of_its_name():
    assert set(STAGES) == {"default", "staging", "production"}
    assert len({CONFIG[stage]["global"]["parameters"]["stack_name"] for stage in STAGES}) == len(STAGES)
    for stage in STAGES:
        expected = "dev" if stage == "default" else stage
        assert f"Environment={expected}" in CONFIG[stage]["deploy"]["parameters"]["parameter_overrides"]


def test_functions_and_layers_are_built_by_the_makefile_for_the_chosen_architecture():
    makefile = (ROOT / "Makefile").read_text()
    built = {**resources("AWS::Serverless::Function"), **resources("AWS::Serverless::LayerVersion")}
    for name in built:
        metadata = written()["Resources"][name]["Metadata"]
        assert metadata["BuildMethod"] == "makefile", name
        assert metadata["ContextPath"] == ".", name
        assert metadata["BuildArchitecture"] == {"Ref": "Architecture"}, name
        assert f"build-{name}:" in makefile or f"build-{name} " in makefile, name


def test_the_wheels_of_each_architecture_are_told_apart():
    for architecture, machine in {"arm64": "aarch64", "x86_64": "x86_64"}.items():
        tags = (ROOT / "layers" / "dependencies" / architecture / "platforms").read_text().split()
        assert tags
        assert all(tag.startswith("manylinux") and tag.endswith(machine) for tag in tags)
    assert set(PARAMETERS["Architecture"]["AllowedValues"]) == {"arm64", "x86_64"}
