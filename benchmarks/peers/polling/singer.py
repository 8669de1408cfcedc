"""singer-sdk: a stream by the template of its cookiecutter, its records taken without writing them out."""

from measuring import measure
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.pagination import JSONPathPaginator

_TEXT = ("name", "email", "status", "total", "currency", "note")


class Items(RESTStream):
    name = "items"
    path = "/items"
    primary_keys = ("id",)
    replication_key = "updated_at"
    records_jsonpath = "$.items[*]"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("updated_at", th.DateTimeType),
        *(th.Property(name, th.StringType) for name in _TEXT),
        th.Property("tags", th.ArrayType(th.StringType)),
        th.Property("address", th.ObjectType()),
    ).to_dict()

    @property
    def url_base(self):
        return self.config["url"]

    def get_new_paginator(self):
        return JSONPathPaginator("$.next")

    def get_url_params(self, context, next_page_token):  # noqa: ARG002 # the SDK's own
        params = {"limit": self.config["size"]}
        return {**params, "after": next_page_token} if next_page_token else params


class Polled(Tap):
    name = "tap-polled"
    config_jsonschema = th.PropertiesList(
        th.Property("url", th.StringType), th.Property("size", th.IntegerType)
    ).to_dict()

    def discover_streams(self):
        return [Items(self)]


def read(url, size):
    stream = Polled(config={"url": url, "size": size}).streams["items"]
    yield from stream.get_records(None)


measure(read)
