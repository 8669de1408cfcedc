"""What a caller of AWS may rely on: the official client's answers, tries, and errors that say what is known."""

import json
from datetime import datetime

import botocore.session
import pytest

from causeway.aws.client import SERVICES, Aws, AwsError
from causeway.aws.credentials import AccessKey, NoCredentialsError
from tests.support.aws import REGION, credentials_for
from tests.support.target import Reply, Target

THROTTLED = Reply(400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow"})

PASSING = [
    *(Reply(status) for status in (500, 502, 503, 504)),
    *(Reply(drop=how) for how in ("unread", "unanswered", "halfway")),
    Reply(delay=0.5),
    THROTTLED,
]


@pytest.fixture
def target():
    with Target() as target:
        yield target


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(target, waits):
    key = AccessKey("AKID", "secret", "token")
    client = Aws(
        region=REGION, credentials=lambda: key, endpoints={"": target.url}, timeout=0.3, sleep=waits.append
    )
    yield client
    client.close()


def plain(answer):
    """What boto3 answers, without what it adds, and with times as JSON has them."""
    if isinstance(answer, dict):
        return {key: plain(value) for key, value in answer.items() if key != "ResponseMetadata"}
    if isinstance(answer, list):
        return [plain(each) for each in answer]
    return pytest.approx(answer.timestamp(), abs=0.001) if isinstance(answer, datetime) else answer


class TestAnswers:
    """The same answers as the official client's."""

    def test_of_an_item(self, cloud):
        key = {"id": {"S": "a"}, "part": {"S": "delivery"}}
        item = {**key, "n": {"N": "1.5"}, "m": {"M": {"l": {"L": [{"NULL": True}, {"B": "AA=="}]}}}}
        cloud.aws.call("dynamodb", "PutItem", {"TableName": cloud.journal, "Item": item})
        ours = cloud.aws.call("dynamodb", "GetItem", {"TableName": cloud.journal, "Key": key})
        official = plain(cloud.boto("dynamodb").get_item(TableName=cloud.journal, Key=key))
        official["Item"]["m"]["M"]["l"]["L"][1]["B"] = "AA=="  # which boto3 decodes
        assert ours == official

    def test_of_secrets(self, cloud):
        cloud.put_secret("a", "1")
        cloud.put_secret("sm:a", "2")
        request = {"Names": [f"{cloud.secrets_prefix}/in/a", "/none"], "WithDecryption": True}
        ours = cloud.aws.call("ssm", "GetParameters", request)
        assert ours == plain(cloud.boto("ssm").get_parameters(**request))
        request = {"SecretId": f"{cloud.secrets_prefix[1:]}/in/a"}
        ours = cloud.aws.call("secretsmanager", "GetSecretValue", request)
        assert ours == plain(cloud.boto("secretsmanager").get_secret_value(**request))

    def test_of_messages(self, cloud):
        request = {"QueueUrl": cloud.deliveries, "Entries": [{"Id": "0", "MessageBody": "ü"}]}
        ours = cloud.aws.call("sqs", "SendMessageBatch", request)
        official = plain(cloud.boto("sqs").send_message_batch(**request))
        assert ours["Successful"][0].keys() == official["Successful"][0].keys()
        assert ours["Successful"][0]["MD5OfMessageBody"] == official["Successful"][0]["MD5OfMessageBody"]
        assert {each["body"] for each in cloud.records(cloud.deliveries)} == {"ü"}

    def test_of_events(self, cloud):
        heard = cloud.heard
        entry = {"Source": "s", "DetailType": "t", "Detail": '{"a": 1}', "EventBusName": cloud.bus}
        assert cloud.aws.call("events", "PutEvents", {"Entries": [entry]})["FailedEntryCount"] == 0
        assert [json.loads(each["body"])["detail"] for each in cloud.records(heard)] == [{"a": 1}]

    @pytest.mark.parametrize("key", ["plain", "a b/ü+%?#&=.json", "a//b/../c~"])
    def test_of_objects(self, cloud, key):
        cloud.aws.put_object(cloud.payloads, key, b"\0body", content_type="text/x")
        official = cloud.boto("s3").get_object(Bucket=cloud.payloads, Key=key)
        with official["Body"] as body:
            assert (body.read(), official["ContentType"]) == (b"\0body", "text/x")
        assert cloud.aws.get_object(cloud.payloads, key) == b"\0body"
        cloud.aws.delete_object(cloud.payloads, key)
        with pytest.raises(AwsError) as raised:
            cloud.aws.get_object(cloud.payloads, key)
        assert (raised.value.code, raised.value.status) == ("NoSuchKey", 404)


class TestErrors:
    def test_are_named_as_the_official_client_names_them(self, cloud):
        request = {"TableName": "none", "Key": {"id": {"S": "a"}, "part": {"S": "b"}}}
        dynamodb = cloud.boto("dynamodb")
        with pytest.raises(AwsError) as ours:
            cloud.aws.call("dynamodb", "GetItem", request)
        with pytest.raises(dynamodb.exceptions.ResourceNotFoundException) as official:
            dynamodb.get_item(**request)
        error = official.value.response["Error"]
        assert (ours.value.code, ours.value.message) == (error["Code"], error["Message"])

    def test_a_failed_condition_shows_the_item_that_failed_it(self, cloud):
        item = {"id": {"S": "a"}, "part": {"S": "delivery"}, "claim": {"S": "mine"}}
        request = {
            "TableName": cloud.journal,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        cloud.aws.call("dynamodb", "PutItem", request)
        with pytest.raises(AwsError) as raised:
            cloud.aws.call("dynamodb", "PutItem", request)
        assert raised.value.code == "ConditionalCheckFailedException"
        assert raised.value.item == item
        assert not raised.value.retryable

    @pytest.mark.parametrize("body", ["", "<html>", "[]", '{"a": 1}', b"\xff"])
    def test_an_answer_that_nobody_understands_is_an_error_with_its_status(self, target, client, body):
        target.on("/", Reply(403, body))
        with pytest.raises(AwsError) as raised:
            client.call("sqs", "SendMessage", {})
        assert (raised.value.code, raised.value.status) == ("Http403", 403)

    def test_no_credentials_is_an_error_that_names_the_variable(self, target):
        aws = Aws.from_env({"AWS_REGION": REGION, "AWS_ENDPOINT_URL": target.url})
        with pytest.raises(NoCredentialsError, match="AWS_ACCESS_KEY_ID is not set"):
            aws.call("sqs", "SendMessage", {})


class TestTries:
    @pytest.mark.parametrize("failure", PASSING, ids=repr)
    def test_what_may_work_later_is_tried_again(self, target, client, waits, failure):
        target.on("/", failure, Reply(200, {"a": 1}))
        assert client.call("sqs", "SendMessage", {}) == {"a": 1}
        assert len(waits) == 1

    @pytest.mark.parametrize(("service", "tries"), [("sqs", 3), ("ssm", 3), ("dynamodb", 4)])
    def test_end_after_as_many_as_the_official_client_makes(self, target, client, waits, service, tries):
        target.on("/", Reply(500))
        with pytest.raises(AwsError):
            client.call(service, "Any", {})
        assert len(target.received()) == tries
        assert all(wait <= 0.05 * 2**place for place, wait in enumerate(waits))

    def test_wait_longer_when_throttled(self, target, client, waits, monkeypatch):
        monkeypatch.setattr("random.random", lambda: 1.0)
        target.on("/", THROTTLED)
        with pytest.raises(AwsError) as raised:
            client.call("dynamodb", "Any", {})
        assert waits == [1, 2, 4]
        assert raised.value.throttled

    def test_what_was_refused_is_not_tried_again(self, target, client):
        target.on("/", Reply(400, {"__type": "a#ValidationException", "Message": "no"}))
        with pytest.raises(AwsError, match="ValidationException: no"):
            client.call("sqs", "SendMessage", {})
        assert len(target.received()) == 1

    def test_nobody_there_is_an_error_after_as_many_tries(self, waits):
        with Target() as gone:
            pass
        client = Aws.from_env(credentials_for(gone.url))
        client._sleep = waits.append
        with pytest.raises(AwsError) as raised:
            client.call("sqs", "SendMessage", {})
        assert (raised.value.code, raised.value.status, raised.value.maybe_done) == ("NotConnected", 0, False)
        assert len(waits) == 2

    def test_each_try_is_signed_anew_with_the_credentials_of_the_moment(self, target):
        sources = iter([AccessKey("OLD", "a"), AccessKey("NEW", "b", "t")])
        client = Aws(
            region=REGION, credentials=lambda: next(sources), endpoints={"": target.url}, sleep=lambda _: None
        )
        target.on("/", Reply(500), Reply())
        client.call("sqs", "SendMessage", {})
        first, second = (request.headers for request in target.received())
        assert "Credential=OLD/" in first["authorization"]
        assert "Credential=NEW/" in second["authorization"]
        assert ("x-amz-security-token" in first, second["x-amz-security-token"]) == (False, "t")


class TestALostAnswer:
    """A call whose answer was lost may have been carried out; the error of a later try says so."""

    REFUSED = Reply(
        400,
        {
            "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
            "message": "no",
            "Item": {"claim": {"S": "mine"}},
        },
    )

    @pytest.mark.parametrize("lost", [Reply(drop="unanswered"), Reply(delay=0.5), Reply(500)], ids=repr)
    def test_shows_in_the_error_and_the_item_shows_whose_write_it_was(self, target, client, lost):
        target.on("/", lost, self.REFUSED)
        with pytest.raises(AwsError) as raised:
            client.call("dynamodb", "UpdateItem", {})
        assert raised.value.maybe_done
        assert raised.value.item == {"claim": {"S": "mine"}}

    @pytest.mark.parametrize("before", [THROTTLED, None], ids=repr)
    def test_does_not_show_where_nothing_was_lost(self, target, client, before):
        target.on("/", *([before] if before else []), self.REFUSED)
        with pytest.raises(AwsError) as raised:
            client.call("dynamodb", "UpdateItem", {})
        assert not raised.value.maybe_done


class TestConnections:
    def test_are_kept(self, target, client):
        for _ in range(3):
            client.call("sqs", "SendMessage", {})
        assert target.connections == 1

    @pytest.mark.parametrize("closing", [Reply(close=True), Reply(close_silently=True)], ids=repr)
    def test_that_were_closed_meanwhile_are_not_used(self, target, client, waits, closing):
        target.on("/", closing, Reply())
        client.call("sqs", "SendMessage", {})
        while target._server.open:
            pass
        client.call("sqs", "SendMessage", {})
        assert waits == []

    def test_ignore_proxies_of_the_environment(self, client, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        assert client.call("sqs", "SendMessage", {}) == {"ok": True}


class TestEndpoints:
    @pytest.mark.parametrize(
        ("variable", "service"),
        [
            ("AWS_ENDPOINT_URL", "sqs"),
            ("AWS_ENDPOINT_URL_SQS", "sqs"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "dynamodb"),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "secretsmanager"),
            ("AWS_ENDPOINT_URL_SSM", "ssm"),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", "events"),
        ],
    )
    def test_are_those_of_the_environment(self, target, variable, service):
        environ = {**credentials_for("http://127.0.0.1:9"), variable: f"{target.url}/base"}
        Aws.from_env(environ).call(service, "Any", {})
        assert [request.path for request in target.received()] == ["/base/"]

    @pytest.mark.parametrize(
        ("region", "service", "host"),
        [
            ("eu-central-1", "sqs", "sqs.eu-central-1.amazonaws.com"),
            ("cn-north-1", "events", "events.cn-north-1.amazonaws.com.cn"),
        ],
    )
    def test_are_aws_own_where_nothing_is_set(self, region, service, host):
        aws = Aws(region=region, credentials=lambda: AccessKey("a", "b"))
        assert aws._origin(service) == (True, host, "")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_addressed_as_its_own_description_says(name):
    model = botocore.session.get_session().get_service_model(
        {"monitoring": "cloudwatch"}.get(name, name)  # its endpoint's name is not its own
    )
    service = SERVICES[name]
    assert model.endpoint_prefix == name
    assert model.metadata["targetPrefix"] == service.target
    assert model.metadata["jsonVersion"] == service.version
    assert model.service_id.replace(" ", "_").upper() == service.variable
