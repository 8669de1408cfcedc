"""Providers that send a secret as it is, and sign nothing: whoever has seen one request can send any other.

Those that authenticate nothing at all can still be given a URL that nobody else knows, with
``?token=SECRET`` at
its end. It is worth what a secret in a URL is worth: proxies and access logs may keep it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_IN_URL: Scheme = {"algorithm": "token", "signature": "query.token"}
_BASIC: Scheme = {"algorithm": "basic", "header": "authorization"}

_TELEGRAM: Scheme = {
    # https://core.telegram.org/bots/api#setwebhook; an update is named after the one thing that it holds.
    "algorithm": "token",
    "header": "x-telegram-bot-api-secret-token",
    "id": "body.update_id",
    "type": "keys(body || `{}`)[?@ != 'update_id'] | [0]",
}

_OKTA: Scheme = {
    # https://developer.okta.com/docs/concepts/event-hooks/
    "algorithm": "token",
    "header": "authorization",
    "id": "body.eventId",
    "type": "body.eventType",
    "handshake": "okta",
}

_GOOGLE_CALENDAR: Scheme = {
    # https://developers.google.com/workspace/calendar/api/guides/push: says that something changed, and
    # not what.
    "algorithm": "token",
    "header": "x-goog-channel-token",
    "id": 'join(\'/\', [headers."x-goog-channel-id", headers."x-goog-message-number"][?@])',
    "type": 'headers."x-goog-resource-state"',
    "unconfirmed": True,
}

_AUTH0_LOG_STREAM: Scheme = {
    # https://auth0.com/docs/customize/log-streams/custom-log-streams
    "algorithm": "token",
    "header": "authorization",
    "split": "body",
    "id": "body.log_id",
    "type": "body.data.type",
    "unconfirmed": True,
}

_DATADOG: Scheme = {
    # https://docs.datadoghq.com/integrations/webhooks/: any header can be added there; this is the one to
    # add.
    "algorithm": "token",
    "header": "x-webhook-token",
    "unconfirmed": True,
}

_BUILDKITE_TOKEN: Scheme = {
    # https://buildkite.com/docs/apis/webhooks/pipelines#webhook-token: instead of a signature
    "algorithm": "token",
    "header": "x-buildkite-token",
    "type": 'headers."x-buildkite-event"',
}

_CHARGEBEE: Scheme = {
    # https://www.chargebee.com/docs/2.0/webhook_settings.html#basic-authentication
    **_BASIC,
    "id": "body.id",
    "type": "body.event_type",
}

_EVENTBRIDGE: Scheme = {
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection.html: a connection with
    # basic authentication, or with an API key of this name.
    "id": "body.id",
    "type": 'body."detail-type"',
    "unconfirmed": True,
}

TOKENS: dict[str, list[Scheme]] = {
    "telegram": [_TELEGRAM],
    "okta": [_OKTA],
    "google-calendar": [_GOOGLE_CALENDAR],
    "auth0-log-stream": [_AUTH0_LOG_STREAM],
    "datadog": [_DATADOG],
    "buildkite-token": [_BUILDKITE_TOKEN],
    "chargebee": [_CHARGEBEE],
    # https://pipedrive.readme.io/docs/guide-for-webhooks-v2
    "pipedrive": [{**_BASIC, "unconfirmed": True}],
    # https://postmarkapp.com/developer/webhooks/webhooks-overview
    "postmark": [{**_BASIC, "type": "body.RecordType", "unconfirmed": True}],
    # https://docs.recurly.com/recurly-subscriptions/docs/webhooks: the older ones, in XML
    "recurly-xml": [_BASIC],
    # https://docs.docker.com/docker-hub/repos/manage/webhooks/
    "docker-hub": [_IN_URL],
    # https://gumroad.com/ping
    "gumroad": [_IN_URL],
    # https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_om_outboundmessaging.htm
    "salesforce-outbound": [{**_IN_URL, "unconfirmed": True}],
    "amazon-eventbridge": [
        {**_EVENTBRIDGE, **_BASIC},
        {**_EVENTBRIDGE, "algorithm": "token", "header": "x-api-key"},
    ],
    # https://docs.mollie.com/reference/webhooks: only the id of what changed, each time it does
    "mollie-legacy": [{**_IN_URL, "ping": True}],
}
