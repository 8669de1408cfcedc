"""Secrets are found by name and direction, kept for minutes, and rotate without a refused webhook."""

import pytest

from causeway.aws.client import AwsError
from causeway.settings.clock import SettableClock
from causeway.settings.secrets import SecretMissing, Secrets, SecretsUnavailable
from tests.support.aws import credentials_for


class Watched:
    """The client, with what it is asked recorded; while ``down``, nothing answers."""

    def __init__(self, aws):
        self._aws = aws
        self.calls = []
        self.down = False

    def call(self, service, operation, parameters):
        self.calls.append((service, parameters))
        if self.down:
            raise AwsError("ThrottlingException", "slow down", 400)
        return self._aws.call(service, operation, parameters)


@pytest.fixture
def clock():
    import time

    return SettableClock(time.time())


@pytest.fixture
def watched(aws):
    return Watched(aws)


@pytest.fixture
def secrets(watched, cloud, clock):
    return Secrets(watched, prefix=cloud.secrets_prefix, direction="in", clock=clock)


both_stores = pytest.mark.parametrize("name", ["shop/webhook", "sm:shop/webhook"])


@both_stores
def test_a_name_is_looked_up_under_prefix_and_direction(cloud, watched, name):
    cloud.put_secret(name, "verifies", "in")
    cloud.put_secret(name, "calls", "out")
    for direction, value in {"in": "verifies", "out": "calls"}.items():
        assert Secrets(watched, prefix=cloud.secrets_prefix, direction=direction).current([name]) == [value]


@both_stores
def test_a_field_of_a_json_object_is_a_secret(cloud, secrets, name):
    cloud.put_secret(name, '{"key": "k", "token": "t"}')
    assert secrets.current([f"{name}#token", f"{name}#key"]) == ["t", "k"]


def test_the_answer_has_the_order_of_the_names(cloud, secrets):
    for name in "abc":
        cloud.put_secret(name, name.upper())
    assert secrets.current(["c", "a", "b", "a"]) == ["C", "A", "B", "A"]


def test_parameters_are_read_ten_at_once(cloud, secrets, watched):
    names = [f"n{number}" for number in range(11)]
    for name in names:
        cloud.put_secret(name, name)
    assert secrets.current(names) == names
    assert sorted(len(parameters["Names"]) for _, parameters in watched.calls) == [1, 10]


def test_a_secret_is_kept_for_five_minutes(cloud, secrets, watched, clock):
    cloud.put_secret("a", "old")
    assert secrets.current(["a"]) == ["old"]
    cloud.put_secret("a", "new")
    clock.advance(299)
    assert secrets.current(["a"]) == ["old"]
    assert len(watched.calls) == 1
    clock.advance(1)
    assert secrets.current(["a"]) == ["new"]


class TestRotation:
    @both_stores
    def test_after_a_mismatch_the_new_and_the_replaced_secret_count(self, cloud, secrets, name):
        cloud.put_secret(name, "old")
        assert secrets.current([name]) == ["old"]
        cloud.put_secret(name, "new")
        assert secrets.reread([name]) == ["new", "old"]
        assert secrets.current([name]) == ["new"]

    @both_stores
    def test_the_replaced_one_counts_for_a_day(self, cloud, secrets, clock, name):
        cloud.put_secret(name, "old")
        cloud.put_secret(name, "new")
        clock.advance(86_300)
        assert secrets.reread([name]) == ["new", "old"]
        clock.advance(200)
        assert secrets.reread([name]) == ["new"]

    @both_stores
    def test_a_secret_that_never_changed_replaced_none(self, cloud, secrets, name):
        cloud.put_secret(name, "only")
        assert secrets.reread([name]) == ["only"]

    def test_current_secrets_come_before_replaced_ones(self, cloud, secrets):
        for name in "ab":
            cloud.put_secret(name, f"{name}-old")
            cloud.put_secret(name, f"{name}-new")
        assert secrets.reread(["a", "b"]) == ["a-new", "b-new", "a-old", "b-old"]

    def test_mismatches_cause_one_reading_in_thirty_seconds(self, cloud, secrets, watched, clock):
        cloud.put_secret("a", "old")
        cloud.put_secret("a", "new")
        answers = [secrets.reread(["a"])]
        asked = len(watched.calls)
        for _ in range(29):
            clock.advance(1)
            answers.append(secrets.reread(["a"]))
        assert len(watched.calls) == asked
        assert answers == [["new", "old"]] * 30
        clock.advance(1)
        secrets.reread(["a"])
        assert len(watched.calls) > asked

    def test_a_regular_reading_between_two_mismatches_forgets_no_replaced_secret(self, cloud, secrets, clock):
        cloud.put_secret("a", "old")
        cloud.put_secret("a", "new")
        secrets.current(["a"])
        clock.advance(295)
        assert secrets.reread(["a"]) == ["new", "old"]
        clock.advance(10)
        secrets._kept["ssm", f"{cloud.secrets_prefix}/in/a"].due = 0
        assert secrets.current(["a"]) == ["new"]
        assert secrets.reread(["a"]) == ["new", "old"]

    def test_fields_rotate_like_whole_secrets(self, cloud, secrets):
        cloud.put_secret("a", '{"key": "old"}')
        cloud.put_secret("a", '{"key": "new", "more": "m"}')
        assert secrets.reread(["a#key"]) == ["new", "old"]
        assert secrets.reread(["a#more"]) == ["m"]


class TestMissing:
    @both_stores
    def test_is_an_error_that_says_where_to_put_it(self, cloud, secrets, name):
        with pytest.raises(
            SecretMissing, match=f"the secret {name} is not there .*{cloud.secrets_prefix[1:]}/in/"
        ):
            secrets.current([name])

    @pytest.mark.parametrize("value", [" ", "\n", '""', "not json", "[]", '{"key": 5}', '{"key": ""}', "{}"])
    def test_an_empty_secret_is_none(self, cloud, secrets, value):
        cloud.put_secret("a", value)
        name = "a" if not value.strip() else "a#key"
        with pytest.raises(SecretMissing) as raised:
            secrets.current([name])
        assert value.strip() == "" or value not in str(raised.value)

    def test_one_of_many_is_an_error(self, cloud, secrets):
        cloud.put_secret("a", "1")
        with pytest.raises(SecretMissing, match="the secret b "):
            secrets.current(["a", "b"])

    def test_is_looked_for_again_soon_but_not_at_each_request(self, cloud, secrets, watched, clock):
        for _ in range(3):
            with pytest.raises(SecretMissing):
                secrets.current(["a"])
        assert len(watched.calls) == 1
        cloud.put_secret("a", "1")
        clock.advance(5)
        assert secrets.current(["a"]) == ["1"]


class TestWhenTheStoreDoesNotAnswer:
    @both_stores
    def test_a_secret_never_read_is_unavailable(self, secrets, watched, name):
        watched.down = True
        with pytest.raises(SecretsUnavailable, match="ThrottlingException"):
            secrets.current([name])

    def test_one_that_was_read_is_used_for_an_hour_and_asked_for_only_now_and_then(
        self, cloud, secrets, watched, clock
    ):
        cloud.put_secret("a", "1")
        secrets.current(["a"])
        watched.down = True
        clock.advance(301)
        watched.calls.clear()
        for _ in range(5):
            assert secrets.current(["a"]) == ["1"]
            assert secrets.reread(["a"]) == ["1"]
        assert len(watched.calls) == 1
        clock.advance(3_600)
        with pytest.raises(SecretsUnavailable):
            secrets.current(["a"])

    def test_it_recovers(self, cloud, secrets, watched, clock):
        cloud.put_secret("a", "1")
        secrets.current(["a"])
        watched.down = True
        clock.advance(301)
        secrets.current(["a"])
        cloud.put_secret("a", "2")
        watched.down = False
        clock.advance(30)
        assert secrets.current(["a"]) == ["2"]


def test_no_value_is_shown(cloud, secrets):
    cloud.put_secret("a", "sesame-old")
    cloud.put_secret("a", "sesame-new")
    secrets.reread(["a"])
    shown = repr(secrets) + repr(secrets._kept) + repr(vars(secrets))
    store = secrets._stores["ssm"]
    shown += repr(store.current([f"{cloud.secrets_prefix}/in/a"]))
    assert "sesame" not in shown


def test_a_caller_without_rights_finds_secrets_unavailable(cloud, clock):
    from causeway.aws.client import Aws

    class Denied(Aws):
        def call(self, *_):
            raise AwsError("AccessDeniedException", "no", 400)

    denied = Denied.from_env(credentials_for(cloud.url))
    with pytest.raises(SecretsUnavailable, match="AccessDeniedException"):
        Secrets(denied, prefix="/s/causeway", direction="in", clock=clock).current(["a"])
