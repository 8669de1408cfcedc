"""From manifests to the plan's records: shorthands spelled out, a system's defaults applied to its calls."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from causeway.plan.call_records import call_record, given, poll_record
from causeway.plan.checks.schemes import spelled_out
from causeway.plan.manifest.call import WITH_BODY, Call
from causeway.plan.manifest.integration import (
    BucketTarget,
    BusSource,
    BusTarget,
    Integration,
    PollSource,
    QueueTarget,
    ReplyTarget,
    RequestSource,
    RunStep,
    WebhookSource,
)
from causeway.plan.manifest.values import SecretRef
from causeway.webhooks.schemes import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from causeway.plan import records
    from causeway.plan.manifest.base import Manifest
    from causeway.plan.manifest.integration import CallStep, Source
    from causeway.plan.manifest.scheme import Scheme
    from causeway.plan.manifest.system import Api, System, Webhooks


def system_record(system: System) -> records.System:
    """A system's record."""
    record: records.System = {
        "name": system.system,
        "description": system.description,
        "redact": system.redact,
    }
    if system.webhooks:
        record["webhooks"] = _webhooks(system.webhooks)
    if system.api:
        record["api"] = _api(system.api)
    if system.polls:
        record["polls"] = {name: poll_record(system, name) for name in system.polls}
    return record


def integration_record(integration: Integration, systems: Mapping[str, System]) -> records.Integration:
    """An integration's record, with what its calls leave to their systems."""
    record: records.Integration = {
        "name": integration.integration,
        "description": integration.description,
        "owner": _written(integration.owner),
        "source": _source(integration.source),
        "constants": integration.constants,
        "steps": [
            _run(step) if isinstance(step, RunStep) else _call_step(step, systems)
            for step in integration.flow.steps
        ],
        "target": _target(integration, systems),
        "frequency": _all(integration.frequency),
        "errors": _all(integration.errors) | {"retry": _all(integration.errors.retry)},
    }
    record.update(given(integration.flow, "filter", "order_by"))
    if integration.flow.buffer == "stream":
        record["buffer"] = "stream"
    return record


def _source(source: Source) -> records.Source:
    match source:
        case WebhookSource():
            return {"system": source.system, "events": source.events}
        case PollSource():
            return {"system": source.system, "poll": source.poll}
        case BusSource():
            return {"bus": source.bus}
        case RequestSource():
            return {"request": {"wait": source.request.wait, "otherwise": source.request.otherwise}}


def _target(integration: Integration, systems: Mapping[str, System]) -> records.Target:
    match integration.target:
        case Call() as call:
            return {"call": _call(call, systems, body=call.method in WITH_BODY)}
        case QueueTarget() as to:
            return {"queue": {"name": to.queue, "body": to.body}}
        case BusTarget() as to:
            return {"bus": {"name": to.bus, "detail_type": to.detail_type, "body": to.body}}
        case BucketTarget() as to:
            return {"bucket": {"name": to.bucket, "key": to.key, "content": to.content, "body": to.body}}
        case ReplyTarget() as to:
            return {"reply": _all(to.reply)}


def _all(manifest: Manifest) -> Any:
    """All keys of a part whose record has the same."""
    return dict(manifest)


def _written(manifest: Manifest) -> Any:
    """The same, without those that are absent."""
    return {key: _plain(value) for key, value in manifest if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, SecretRef):
        return {"secret": value.secret}
    return {key: _plain(each) for key, each in value.items()} if isinstance(value, dict) else value


def _webhooks(webhooks: Webhooks) -> records.Webhooks:
    record: records.Webhooks = {
        "schemes": _chosen(webhooks.scheme),
        "secrets": webhooks.secrets,
        "dedupe_for": webhooks.dedupe_for,
    }
    record.update(given(webhooks, "tolerance", "id", "type", "split", "token"))
    if webhooks.reply is not None:
        record["reply"] = _all(webhooks.reply)
    if webhooks.keep_rejected:
        record["keep_rejected"] = webhooks.keep_rejected
    if webhooks.canary:
        record["canary"] = True
    if webhooks.base_url is not None:
        record["base_url"] = webhooks.base_url.rstrip("/")
    return record


def _chosen(scheme: str | Scheme | list[str | Scheme]) -> list[records.Scheme]:
    return [
        record for choice in (scheme if isinstance(scheme, list) else [scheme]) for record in _schemes(choice)
    ]


def _schemes(choice: str | Scheme) -> list[records.Scheme]:
    if isinstance(choice, str):
        return copy.deepcopy(SCHEMES[choice])
    return [spelled_out(choice.model_dump(exclude_none=True))]


def _api(api: Api) -> records.Api:
    base_url = _plain(api.base_url)
    record: records.Api = {
        "base_url": base_url.rstrip("/") if isinstance(base_url, str) else base_url,
        "auth": [_written(each) for each in api.auth] if isinstance(api.auth, list) else _written(api.auth),
        "headers": {name: _plain(value) for name, value in api.headers.items()},
        "allow_private": api.allow_private,
        "keep_answers": api.keep_answers,
    }
    if api.mtls is not None:
        record["mtls"] = _all(api.mtls)
    _limits(api, record)
    if api.signing is not None:
        record["signing"] = {
            "schemes": _chosen(api.signing.scheme),
            "secrets": api.signing.secrets,
        }
    return record


def _limits(api: Api, record: records.Api) -> None:
    """What a system can take: all its rates at once, of concurrencies the lowest."""
    limits = (
        api.rate_limit if isinstance(api.rate_limit, list) else [api.rate_limit] if api.rate_limit else []
    )
    rates: list[records.RateLimit] = [
        {"requests": each.requests, "per": each.per, "burst": each.burst}
        for each in limits
        if each.requests and each.per
    ]
    at_once = [each.concurrency for each in limits if each.concurrency]
    if rates:
        record["rate_limits"] = rates
    if at_once:
        record["concurrency"] = min(at_once)
    record["circuit_breaker"] = _all(api.circuit_breaker)


def _run(step: RunStep) -> records.Step:
    record: records.Step = {"name": step.name, "run": step.run}
    record.update(given(step, "when"))
    return record


def _call_step(step: CallStep, systems: Mapping[str, System]) -> records.Step:
    return {"name": step.name, "call": _call(step, systems, body=False)}


def _call(call: Call, systems: Mapping[str, System], *, body: bool) -> records.Call:
    api = systems[call.system].api
    assert api  # which the checks told
    return call_record(call.system, api, call, body=body)
