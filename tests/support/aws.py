"""AWS for tests: moto's server in this process, and fresh resources in it for each test.

Nothing is reset between tests, since every test gets names of its own. (One thing to avoid: deep queues; moto
looks at every message of a queue at each send.)
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import moto.sqs.models
import pytest
import yaml
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from causeway.aws.client import Aws
from causeway.queueing.messages import decode
from causeway.settings.environment import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from causeway.queueing.messages import Message

REGION = "eu-central-1"
_NUMBERS = itertools.count(1)
_TEMPLATE = Path(__file__).parents[2] / "template.yaml"


class _Quiet(MotoRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


def _is_kept(_: object, queue: str, message: Any) -> bool:
    """What moto asks of each message of a queue at each receive, without asking for the queue's attributes anew."""
    return (message.sent_timestamp or 0) + 14 * 86_400_000 > time.time() * 1000


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """The address of an AWS that lives as long as the test run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moto.sqs.models.SQSBackend, "is_message_valid_based_on_retention_period", _is_kept)
        app = DomainDispatcherApplication(create_backend_app)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def aws(aws_url: str) -> Iterator[Aws]:
    """Causeway's client of it."""
    client = Aws.from_env(credentials_for(aws_url))
    yield client
    client.close()


@pytest.fixture
def cloud(aws_url: str, aws: Aws) -> Cloud:
    """A fresh stack's resources; each is made when it is first asked for."""
    return Cloud(aws_url, aws, f"stack{next(_NUMBERS)}")


def credentials_for(url: str) -> dict[str, str]:
    """The environment variables that Lambda sets, pointing at an emulator."""
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": url,
    }


@dataclass
class Cloud:
    """The resources that template.yaml makes for one stack, as far as functions use them."""

    url: str
    aws: Aws
    stack: str

    @cached_property
    def deliveries(self) -> str:
        """The URL of the deliveries queue."""
        return self.make_queue("deliveries")

    @cached_property
    def deliveries_fifo(self) -> str:
        """The URL of the queue of ordered deliveries."""
        return self.make_queue("deliveries.fifo", {"FifoQueue": "true"})

    @cached_property
    def dead_letters(self) -> str:
        """The URL of the dead-letter queue."""
        return self.make_queue("dead-letters")

    @cached_property
    def polls(self) -> str:
        """The URL of the FIFO queue of polls."""
        return self.make_queue("polls.fifo", {"FifoQueue": "true"})

    @cached_property
    def journal(self) -> str:
        """The name of the journal's table."""
        return self._make_table("Journal")

    @cached_property
    def state(self) -> str:
        """The name of the state's table."""
        return self._make_table("State")

    @cached_property
    def sealing_key(self) -> str:
        """The ARN of the key that seals tokens."""
        made = self.boto("secretsmanager").create_secret(Name=f"{self.stack}-sealing", SecretString="k" * 64)
        arn: str = made["ARN"]
        return arn

    @cached_property
    def payloads(self) -> str:
        """The name of the bucket."""
        name = f"{self.stack}-payloads"
        self.boto("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    @cached_property
    def stream(self) -> str:
        """The name of the stream, of one shard."""
        self.aws.call("kinesis", "CreateStream", {"StreamName": self.stack, "ShardCount": 1})
        return self.stack

    @cached_property
    def bus(self) -> str:
        """The name of the event bus."""
        self.aws.call("events", "CreateEventBus", {"Name": self.stack})
        return self.stack

    @cached_property
    def heard(self) -> str:
        """The URL of a queue that gets every event of the bus from the moment it is first asked for."""
        url = self.make_queue("heard")
        arn = f"arn:aws:sqs:{REGION}:123456789012:{self.stack}-heard"
        rule = {"Name": "all", "EventBusName": self.bus}
        self.aws.call("events", "PutRule", {**rule, "EventPattern": '{"account": ["123456789012"]}'})
        target = {"Rule": "all", "EventBusName": self.bus, "Targets": [{"Id": "heard", "Arn": arn}]}
        self.aws.call("events", "PutTargets", target)
        return url

    @property
    def secrets_prefix(self) -> str:
        """Where this stack's secrets lie."""
        return f"/{self.stack}/causeway"

    @property
    def environ(self) -> dict[str, str]:
        """What a function of this stack has in its environment (and what makes all of it)."""
        return credentials_for(self.url) | {
            "CAUSEWAY_ENVIRONMENT": "dev",
            "CAUSEWAY_SECRETS_PREFIX": self.secrets_prefix,
            "CAUSEWAY_DELIVERIES_URL": self.deliveries,
            "CAUSEWAY_DELIVERIES_FIFO_URL": self.deliveries_fifo,
            "CAUSEWAY_DEAD_LETTERS_URL": self.dead_letters,
            "CAUSEWAY_POLLS_URL": self.polls,
            "CAUSEWAY_JOURNAL": self.journal,
            "CAUSEWAY_STATE_TABLE": self.state,
            "CAUSEWAY_SEALING_KEY": self.sealing_key,
            "CAUSEWAY_PAYLOADS": self.payloads,
            "CAUSEWAY_BUS": self.bus,
            "CAUSEWAY_STACK": "causeway-dev",
        }

    @property
    def settings(self) -> Settings:
        """The same, read."""
        return Settings.from_env(self.environ)

    def boto(self, service: str) -> Any:
        """The official client, to look from the other side."""
        return _boto(self.url, service)

    def make_queue(self, name: str, attributes: Mapping[str, str] | None = None) -> str:
        """Make a queue and return its URL."""
        parameters = {"QueueName": f"{self.stack}-{name}", "Attributes": {**(attributes or {})}}
        url: str = self.aws.call("sqs", "CreateQueue", parameters)["QueueUrl"]
        return url

    def _make_table(self, resource: str) -> str:
        """A table with the template's keys and indexes."""
        properties = _template()["Resources"][resource]["Properties"]
        kept = {"AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"}
        name = f"{self.stack}-{resource.lower()}"
        made = {key: value for key, value in properties.items() if key in kept}
        self.aws.call("dynamodb", "CreateTable", {"TableName": name, **made})
        return name

    def put_secret(self, name: str, value: str, direction: str = "in") -> None:
        """Put a secret where functions look for it: ``sm:NAME`` in Secrets Manager, others in Parameter Store."""
        path = f"{self.secrets_prefix}/{direction}/{name.removeprefix('sm:')}"
        if not name.startswith("sm:"):
            parameters = {"Name": path, "Value": value, "Type": "SecureString", "Overwrite": True}
            self.aws.call("ssm", "PutParameter", parameters)
            return
        manager, path = self.boto("secretsmanager"), path.lstrip("/")
        try:
            manager.create_secret(Name=path, SecretString=value)
        except manager.exceptions.ResourceExistsException:
            manager.put_secret_value(SecretId=path, SecretString=value)

    def records(self, queue_url: str) -> list[dict[str, Any]]:
        """Receive what can be received now, as the records of a Lambda event; they stay invisible."""
        found: list[dict[str, Any]] = []
        parameters = {"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"]}
        while received := self.aws.call("sqs", "ReceiveMessage", parameters).get("Messages"):
            found += [_record(each, queue_url) for each in received]
        return found

    def messages(self, queue_url: str) -> list[Message]:
        """Receive what can be received now, and take it off the queue."""
        records = self.records(queue_url)
        for record in records:
            self.delete(queue_url, record)
        return [decode(record["body"]) for record in records]

    def delete(self, queue_url: str, record: Mapping[str, Any]) -> None:
        """Take a received record off its queue."""
        parameters = {"QueueUrl": queue_url, "ReceiptHandle": record["receiptHandle"]}
        self.aws.call("sqs", "DeleteMessage", parameters)


def _record(message: Mapping[str, Any], queue_url: str) -> dict[str, Any]:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:{queue_url.rpartition('/')[2]}",
        "awsRegion": REGION,
    }


_clients: dict[tuple[str, str], Any] = {}


def _boto(url: str, service: str) -> Any:
    if (url, service) not in _clients:
        session = boto3.Session("testing", "testing", region_name=REGION)
        _clients[url, service] = session.client(service, endpoint_url=url)
    return _clients[url, service]


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's YAML; what a function such as ``!If`` would give is not needed here."""


_Loader.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


def _template() -> dict[str, Any]:
    with _TEMPLATE.open() as file:
        template: dict[str, Any] = yaml.load(file, _Loader)
    return template
