from pathlib import Path

import pytest

from causeway.settings.environment import SettingError, Settings


def test_settings_are_read_by_name_and_have_types():
    settings = Settings.from_env(
        {"CAUSEWAY_JOURNAL": "table", "CAUSEWAY_KEEP_DEAD": "60", "CAUSEWAY_METRICS_BY_INTEGRATION": "true"}
    )
    assert settings.journal == "table"
    assert settings.keep_dead == 60.0
    assert settings.metrics_by_integration is True


def test_what_is_not_set_has_its_default():
    settings = Settings.from_env({})
    assert settings.plan == Path("/opt/plan")
    assert settings.claim_check_over == 262_144
    assert settings.keep_dead == 90 * 86_400
    assert settings.base_url == ""
    assert settings.metrics_by_integration is False


def test_what_is_missing_is_an_error_when_it_is_used():
    settings = Settings.from_env({"CAUSEWAY_JOURNAL": "table"})
    with pytest.raises(SettingError, match="CAUSEWAY_BUS is not set"):
        _ = settings.bus


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("CAUSEWAY_CLAIM_CHECK_OVER", "many", "claim_check_over"),
        ("CAUSEWAY_METRICS_BY_INTEGRATION", "yes", "metrics_by_integration"),
    ],
)
def test_what_is_wrong_is_an_error_that_names_the_variable(variable, value, name):
    with pytest.raises(SettingError, match=f"{variable} is '{value}'"):
        getattr(Settings.from_env({variable: value}), name)


def test_credentials_are_no_part_of_settings():
    settings = Settings.from_env({"AWS_SECRET_ACCESS_KEY": "shh"})
    assert "shh" not in repr(vars(settings))
