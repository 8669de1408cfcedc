"""Providers that sign the body alone: one HMAC, and where it is written.

Nothing tells a new request from an old one: what was once signed can be sent again. Duplicates are
recognised by
the event's id, or by the body where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from causeway.plan.records import Scheme

_HEX: Scheme = {"algorithm": "hmac-sha256", "encoding": "hex"}
_BASE64: Scheme = {"algorithm": "hmac-sha256", "encoding": "base64"}


def _hub_signature(header: str, event_id: str, event_type: str) -> Scheme:
    """As WebSub writes it. The algorithm is the provider's, whatever stands before the equals sign.

    https://www.w3.org/TR/websub/#signing-content
    """
    return {**_HEX, "header": header, "pattern": "sha256={signature}", "id": event_id, "type": event_type}


def _shopify(prefix: str) -> Scheme:
    """Shopify; the headers of its Events platform have no ``x-``.

    https://shopify.dev/docs/apps/build/webhooks/subscribe/https
    """
    return {
        **_BASE64,
        "header": f"{prefix}-hmac-sha256",
        "id": f'headers."{prefix}-webhook-id"',
        "type": f'headers."{prefix}-topic"',
    }


_META: Scheme = {
    # https://developers.facebook.com/docs/graph-api/webhooks/getting-started. The key is the app secret.
    # Characters beyond ASCII are signed as they are sent: escaped.
    **_HEX,
    "header": "x-hub-signature-256",
    "pattern": "sha256={signature}",
    "split": "each(body.entry, 'changes')",
    # Several messages in one change have no id of their own as an event: the content is what repeats.
    "id": "body.changes.value.messages | (length(@ || `[]`) == `1` && [0].id || null)",
    "type": "body.changes.field",
    "handshake": "meta",
}

_X: Scheme = {
    # https://docs.x.com/x-api/webhooks/introduction
    **_BASE64,
    "header": "x-twitter-webhooks-signature",
    "pattern": "sha256={signature}",
    "type": "keys(body || `{}`)[?ends_with(@, '_events')] | [0]",
    "handshake": "x",
}

_LINE: Scheme = {
    # https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/
    **_BASE64,
    "header": "x-line-signature",
    "split": "body.events",
    "id": "body.webhookEventId",
    "type": "body.type",
}

_XERO: Scheme = {
    # https://developer.xero.com/documentation/guides/webhooks/overview/. The key looks like base64 and is
    # text.
    **_BASE64,
    "header": "x-xero-signature",
    "split": "body.events",
    "type": "join('.', [body.eventCategory, body.eventType][?@])",
    # "Intent to receive": right and wrong signatures in turn, to be told apart by the status alone.
    "reply": {"status": 200, "headers": {}, "body": ""},
    "refusal": {"status": 401, "headers": {}, "body": ""},
}

_QUICKBOOKS: Scheme = {
    # https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
    **_BASE64,
    "header": "intuit-signature",
    "split": "each(body.eventNotifications, 'dataChangeEvent.entities')",
    "type": "body.dataChangeEvent.entities | join('.', [name, operation][?@])",
}

_WOOCOMMERCE: Scheme = {
    # https://woocommerce.com/document/webhooks/
    **_BASE64,
    "header": "x-wc-webhook-signature",
    "id": 'headers."x-wc-webhook-delivery-id"',
    "type": 'headers."x-wc-webhook-topic"',
    "handshake": "woocommerce",
}

_DOCUSIGN: Scheme = {
    # https://developers.docusign.com/platform/webhooks/connect/hmac/: a header for each key that is active.
    # A repeat counts itself in the body, so the body does not name the event; these three do.
    **_BASE64,
    "header": "x-docusign-signature-{number}",
    "id": (
        "body.data.envelopeId && body.generatedDateTime"
        " && join('/', [body.data.envelopeId, body.event, body.generatedDateTime][?@]) || null"
    ),
    "type": "body.event",
}

_TYPEFORM: Scheme = {
    # https://www.typeform.com/developers/webhooks/secure-your-webhooks/
    **_BASE64,
    "header": "typeform-signature",
    "pattern": "sha256={signature}",
    "id": "body.event_id",
    "type": "body.event_type",
    "unconfirmed": True,
}

_DROPBOX: Scheme = {
    # https://www.dropbox.com/developers/reference/webhooks: who has changes, and not which; the next one
    # is the same.
    **_HEX,
    "header": "x-dropbox-signature",
    "type": "body.list_folder && 'list_folder' || null",
    "ping": True,
    "handshake": "dropbox",
}

_RAZORPAY: Scheme = {
    # https://razorpay.com/docs/webhooks/validate-test/. The key is the webhook's secret, not the API's.
    **_HEX,
    "header": "x-razorpay-signature",
    "id": 'headers."x-razorpay-event-id"',
    "type": "body.event",
}

_MOLLIE: Scheme = {
    # https://docs.mollie.com/reference/webhooks-best-practices. While a secret is rotated, two are sent.
    **_hub_signature("x-mollie-signature", "body.id", "body.type"),
    "separator": ",",
}

_COINBASE_COMMERCE: Scheme = {
    # https://docs.cdp.coinbase.com/commerce/docs/webhooks-security
    **_HEX,
    "header": "x-cc-webhook-signature",
    "id": "body.event.id",
    "type": "body.event.type",
}

_LEMONSQUEEZY: Scheme = {
    # https://docs.lemonsqueezy.com/help/webhooks/signing-requests
    **_HEX,
    "header": "x-signature",
    "type": 'headers."x-event-name" || body.meta.event_name',
}


def _sentry(header: str) -> Scheme:
    """Sentry, whose timestamp is not signed.

    https://docs.sentry.io/organization/integrations/integration-platform/webhooks/
    """
    return {
        **_HEX,
        "header": header,
        "id": 'headers."request-id"',
        "type": "join('.', [headers.\"sentry-hook-resource\", body.action][?@])",
    }


_GOCARDLESS: Scheme = {
    # https://developer.gocardless.com/getting-started/api/staying-up-to-date-with-webhooks/
    **_HEX,
    "header": "webhook-signature",
    "split": "body.events",
    "id": "body.id",
    "type": "join('.', [body.resource_type, body.action][?@])",
}

_EASYPOST: Scheme = {
    # https://docs.easypost.com/guides/webhooks-guide. The secret is text in normal form KD.
    **_HEX,
    "header": "x-hmac-signature",
    "pattern": "hmac-sha256-hex={signature}",
    "key": "nfkd",
    "id": "body.id",
    "type": "body.description",
}

_ASANA: Scheme = {
    # https://developers.asana.com/docs/webhooks-guide. A heartbeat has no events.
    **_HEX,
    "header": "x-hook-signature",
    "split": "body.events",
    "type": "join('.', [body.resource.resource_type, body.action][?@])",
    "handshake": "asana",
}

_LINEAR: Scheme = {
    # https://linear.app/developers/webhooks: when it was sent is said in the body, and the header is not
    # signed.
    **_HEX,
    "header": "linear-signature",
    "timestamp": {"value": "body.webhookTimestamp", "unit": "ms", "past": 60, "future": 60},
    "id": 'headers."linear-delivery"',
    "type": 'headers."linear-event" || body.type',
}


def _version_list(header: str, event_id: str, event_type: str) -> Scheme:
    """Signatures of several versions and keys; of these only v1 exists."""
    return {
        **_HEX,
        "header": header,
        "pattern": "v1={signature}",
        "separator": ",",
        "id": event_id,
        "type": event_type,
    }


_AIRTABLE: Scheme = {
    # https://airtable.com/developers/web/api/webhooks-overview: says that something changed, and not what.
    **_HEX,
    "header": "x-airtable-content-mac",
    "pattern": "hmac-sha256={signature}",
    "key": "base64",
    "unconfirmed": True,
}

_INTERCOM: Scheme = {
    # https://developers.intercom.com/docs/webhooks/webhook-notifications
    "algorithm": "hmac-sha1",
    "header": "x-hub-signature",
    "pattern": "sha1={signature}",
    "encoding": "hex",
    "id": "body.id",
    "type": "body.topic",
    "unconfirmed": True,
}

_VERCEL: Scheme = {
    # https://vercel.com/docs/webhooks/webhooks-api#securing-webhooks
    "algorithm": "hmac-sha1",
    "header": "x-vercel-signature",
    "encoding": "hex",
    "id": "body.id",
    "type": "body.type",
    "unconfirmed": True,
}

_HEROKU: Scheme = {
    # https://devcenter.heroku.com/articles/app-webhooks#verifying-webhook-messages
    **_BASE64,
    "header": "heroku-webhook-hmac-sha256",
    "id": "body.webhook_metadata.event.id || body.id",
    "type": "join('.', [body.resource, body.action][?@])",
    "unconfirmed": True,
}

_CHECKOUT_COM: Scheme = {
    # https://www.checkout.com/docs/developer-resources/webhooks/webhooks-security
    **_HEX,
    "header": "cko-signature",
    "id": "body.id",
    "type": "body.type",
    "unconfirmed": True,
}

_KLARNA: Scheme = {
    # https://docs.klarna.com/: the secret is a JSON object of keys by their ids, or one key.
    **_HEX,
    "header": "klarna-signature",
    "key_id": {"header": "klarna-signing-key-id"},
    "id": "body.metadata.event_id",
    "type": "body.metadata.event_type",
    "unconfirmed": True,
}

_NPM: Scheme = {
    # https://docs.npmjs.com/cli/v10/commands/npm-hook; gone from the CLI since.
    **_HEX,
    "header": "x-npm-signature",
    "pattern": "sha256={signature}",
    "type": "body.event",
    "unconfirmed": True,
}

BODIES: dict[str, list[Scheme]] = {
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    # The older x-hub-signature (SHA-1) is never read.
    "github": [
        _hub_signature("x-hub-signature-256", 'headers."x-github-delivery"', 'headers."x-github-event"')
    ],
    # https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/; Data Center names the request
    # otherwise.
    "bitbucket": [
        _hub_signature(
            "x-hub-signature",
            'headers."x-request-uuid" || headers."x-request-id"',
            'headers."x-event-key"',
        )
    ],
    # https://developer.atlassian.com/cloud/jira/platform/webhooks/: those that an administrator registers.
    "jira": [
        _hub_signature("x-hub-signature", 'headers."x-atlassian-webhook-identifier"', "body.webhookEvent")
    ],
    "meta": [_META],
    "shopify": [_shopify("x-shopify"), _shopify("shopify")],
    "x": [_X],
    "line": [_LINE],
    "xero": [_XERO],
    "quickbooks": [_QUICKBOOKS],
    "woocommerce": [_WOOCOMMERCE],
    "docusign": [_DOCUSIGN],
    "typeform": [_TYPEFORM],
    "dropbox": [_DROPBOX],
    "razorpay": [_RAZORPAY],
    "mollie": [_MOLLIE],
    "coinbase-commerce": [_COINBASE_COMMERCE],
    "lemonsqueezy": [_LEMONSQUEEZY],
    "sentry": [_sentry("sentry-hook-signature"), _sentry("sentry-app-signature")],
    "gocardless": [_GOCARDLESS],
    "easypost": [_EASYPOST],
    # https://developers.notion.com/reference/webhooks: the key is the token of the first contact.
    "notion": [{**_hub_signature("x-notion-signature", "body.id", "body.type"), "handshake": "notion"}],
    "asana": [_ASANA],
    "linear": [_LINEAR],
    # https://developer.pagerduty.com/docs/verifying-webhook-signatures
    "pagerduty": [_version_list("x-pagerduty-signature", "body.event.id", "body.event.event_type")],
    # https://circleci.com/docs/outbound-webhooks/#validate-webhooks
    "circleci": [_version_list("circleci-signature", "body.id", 'headers."circleci-event-type"')],
    "airtable": [_AIRTABLE],
    "intercom": [_INTERCOM],
    "vercel": [_VERCEL],
    "heroku": [_HEROKU],
    "checkout-com": [_CHECKOUT_COM],
    "klarna": [_KLARNA],
    "npm": [_NPM],
}
