"""Signed AWS calls, for the few operations on the hot path.

Why not boto3: it is three quarters of a small function's cold start, and twice its warm time per call. Why
not ``awscrt``, AWS's native runtime: it signs and sends, but retries, endpoints and the services' protocols
would still be ours, and it adds 12 MB. Tests hold these lines against botocore's signer and boto3's answers.

What a caller may rely on:

* Up to three tries (DynamoDB four), like botocore's ``standard`` mode: connection errors, 500, 502, 503, 504
  and throttling are tried again, after ``random() * base * 2**n`` seconds, base 0.05, throttled 1.
* So **a call may be carried out twice**, or be carried out and fail. It shows: such an :class:`AwsError` has
  ``maybe_done``. The case that bites is a *conditional write* to DynamoDB: the first try succeeds, its answer
  is lost, the second fails the condition against what the first one wrote. So a conditional write carries
  something that only its writer knows (a claim: ``claim = <random>``) and asks for
  ``ReturnValuesOnConditionCheckFailure: ALL_OLD``. When ``error.code`` is ``ConditionalCheckFailedException``
  and ``error.item`` holds that very claim, it was our own write, and it succeeded.
"""

from __future__ import annotations

import json
import random
import re
import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import causeway
from causeway.aws.connections import Connections, NoAnswerError, Origin
from causeway.aws.credentials import AccessKey, from_environment
from causeway.aws.errors import AwsError, error_of
from causeway.aws.sigv4 import Scope, signed_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from causeway.aws.connections import Response
    from causeway.aws.credentials import Credentials, CredentialSource
    from causeway.plan.records import JSON

__all__ = ["SERVICES", "Aws", "AwsError"]


class Service(NamedTuple):
    """How a service with a JSON protocol is addressed."""

    target: str
    version: str
    variable: str  # AWS_ENDPOINT_URL_<variable>
    tries: int = 3


SERVICES = {
    "dynamodb": Service("DynamoDB_20120810", "1.0", "DYNAMODB", tries=4),
    "events": Service("AWSEvents", "1.1", "EVENTBRIDGE"),
    "kinesis": Service("Kinesis_20131202", "1.1", "KINESIS"),
    "logs": Service("Logs_20140328", "1.1", "CLOUDWATCH_LOGS"),
    "monitoring": Service("GraniteServiceVersion20100801", "1.0", "CLOUDWATCH"),
    "secretsmanager": Service("secretsmanager", "1.1", "SECRETS_MANAGER"),
    "sqs": Service("AmazonSQS", "1.0", "SQS"),
    "ssm": Service("AmazonSSM", "1.1", "SSM"),
}
QUERY_VERSIONS = {"sns": "2010-03-31", "sts": "2011-06-15"}
"""The services that speak neither of the JSON protocols, and the versions of their interfaces."""

_S3_TRIES = 3
_QUERY_TRIES = 3
_CREDENTIALS = ("AccessKeyId", "SecretAccessKey", "SessionToken")


class _Request(NamedTuple):
    service: str
    origin: Origin
    method: str
    path: str  # percent-encoded, below the origin's base
    headers: Mapping[str, str]
    body: bytes


class Aws:
    """AWS in one region, for one caller. One object serves all threads of a function.

    Args:
        region: Such as ``eu-central-1``.
        credentials: Called for each request.
        endpoints: Endpoint URLs by service, of :data:`SERVICES`, :data:`QUERY_VERSIONS`, or ``s3``; ``""``:
            all others.
        timeout: Seconds that an answer may take.
        sleep: Waits between two tries.
    """

    def __init__(
        self,
        *,
        region: str,
        credentials: CredentialSource,
        endpoints: Mapping[str, str] | None = None,
        timeout: float = 3.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.region = region
        self._credentials = credentials
        self._endpoints = endpoints or {}
        self._connections = Connections(timeout=timeout)
        self._sleep = sleep

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Aws:
        """As the environment says: region, credentials, ``AWS_ENDPOINT_URL`` (and ``..._<SERVICE>``).

        Raises:
            KeyError: ``AWS_REGION`` is not set.
        """
        variables = {"": "AWS_ENDPOINT_URL"}
        variables |= {name: f"AWS_ENDPOINT_URL_{name.upper()}" for name in ("s3", *QUERY_VERSIONS)}
        variables |= {name: f"AWS_ENDPOINT_URL_{service.variable}" for name, service in SERVICES.items()}
        return cls(
            region=environ["AWS_REGION"],
            credentials=from_environment(environ),
            endpoints={
                name: environ[variable] for name, variable in variables.items() if environ.get(variable)
            },
        )

    def call(self, service: str, operation: str, parameters: Mapping[str, JSON]) -> dict[str, JSON]:
        """Carry out one operation of a service with a JSON protocol.

        Args:
            service: One of :data:`SERVICES`.
            operation: As AWS names it: ``SendMessageBatch``.
            parameters: Its input, as AWS's API reference has it.

        Raises:
            AwsError: it was refused, or there was no answer.
        """
        known = SERVICES[service]
        headers = {
            "content-type": f"application/x-amz-json-{known.version}",
            "x-amz-target": f"{known.target}.{operation}",
        }
        body = json.dumps(parameters, separators=(",", ":")).encode()
        request = _Request(service, self._origin(service), "POST", "/", headers, body)
        response = self._exchange(request, tries=known.tries)
        answer: dict[str, JSON] = json.loads(response.body) if response.body else {}
        return answer

    def put_object(self, bucket: str, key: str, body: bytes, *, content_type: str) -> None:
        """Store an object whole, over what was there.

        Raises:
            AwsError: it could not be stored.
        """
        self._object("PUT", bucket, key, body, content_type=content_type)

    def get_object(self, bucket: str, key: str) -> bytes:
        """Read an object whole.

        Raises:
            AwsError: it could not be read; ``NoSuchKey`` when there is none (``AccessDenied`` to a role that
                may not list the bucket).
        """
        return self._object("GET", bucket, key, b"").body

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an object; one that is not there is deleted, too.

        Raises:
            AwsError: it could not be deleted.
        """
        self._object("DELETE", bucket, key, b"")

    def credentials(self) -> Credentials:
        """Whose calls these are."""
        return self._credentials()

    def query(self, service: str, action: str, fields: Mapping[str, str]) -> str:
        """Carry out one action of a service with the query protocol: fields of a form, an answer in XML.

        Args:
            service: One of :data:`QUERY_VERSIONS`.
            action: As AWS names it: ``Publish``.
            fields: Its input, as AWS's API reference has it: ``MessageAttributes.entry.1.Name``.

        Returns:
            The answer's XML.

        Raises:
            AwsError: it was refused, or there was no answer.
        """
        body = urlencode({"Action": action, "Version": QUERY_VERSIONS[service], **fields}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        response = self._exchange(
            _Request(service, self._origin(service), "POST", "/", headers, body), tries=_QUERY_TRIES
        )
        return response.body.decode()

    def assume_role(self, role: str, *, seconds: int) -> AccessKey:
        """Take on a role.

        Raises:
            AwsError: it may not be taken on.
        """
        fields = {"RoleArn": role, "RoleSessionName": "causeway", "DurationSeconds": str(seconds)}
        text = self.query("sts", "AssumeRole", fields)
        found = [re.search(f"<{name}>([^<]+)</{name}>", text) for name in _CREDENTIALS]
        access_key, secret_key, token = (match[1] if match else "" for match in found)
        if not (access_key and secret_key and token):
            raise AwsError("UnreadableAnswer", "STS answered without credentials", 200)
        return AccessKey(access_key, secret_key, token)

    def close(self) -> None:
        """Close idle connections."""
        self._connections.close()

    def _object(self, method: str, bucket: str, key: str, body: bytes, *, content_type: str = "") -> Response:
        origin = self._origin("s3")
        path = "/" + quote(key, safe="/~")
        if "s3" in self._endpoints or "" in self._endpoints or "." in bucket:
            path = f"/{bucket}{path}"  # neither an emulator nor a certificate knows BUCKET.WITH.DOTS.s3...
        else:
            origin = origin._replace(host=f"{bucket}.{origin.host}")
        headers = {"content-type": content_type} if content_type else {}
        return self._exchange(_Request("s3", origin, method, path, headers, body), tries=_S3_TRIES)

    def _origin(self, service: str) -> Origin:
        url = self._endpoints.get(service) or self._endpoints.get("")
        if url:
            parts = urlsplit(url)
            return Origin(parts.scheme == "https", parts.netloc, parts.path.rstrip("/"))
        suffix = "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"
        return Origin(secure=True, host=f"{service}.{self.region}.{suffix}")

    def _exchange(self, request: _Request, *, tries: int) -> Response:
        unclear = False
        for attempt in range(1, tries + 1):
            try:
                return self._try(request)
            except AwsError as error:
                unclear = error.maybe_done = unclear or error.maybe_done
                if attempt == tries or not error.retryable:
                    raise
                base = 1.0 if error.throttled else 0.05
                self._sleep(random.random() * base * 2 ** (attempt - 1))  # noqa: S311 - jitter, no secret
        raise AssertionError("the last try returns or raises")

    def _try(self, request: _Request) -> Response:
        service, origin, method, path, headers, body = request
        path = origin.base + path
        signed = signed_headers(
            method,
            path,
            {"host": origin.host, **headers},
            body,
            credentials=self._credentials(),
            scope=Scope(self.region, service),
            now=time.time(),
        )
        signed["user-agent"] = f"causeway/{causeway.__version__}"
        try:
            response = self._connections.exchange(origin, method, path, signed, body)
        except NoAnswerError as error:
            code = "NoAnswer" if error.sent else "NotConnected"
            raise AwsError(code, str(error), 0, maybe_done=error.sent) from error
        if response.status >= 300:  # noqa: PLR2004 - a redirect, too: this was the wrong place to ask
            raise error_of(response)
        return response
