"""dlt's REST source as its documentation has it: incremental by `updated_at`, iterated."""

import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

from dlt.sources.rest_api import rest_api_source
from measuring import measure


def read(url, size):
    endpoint = {
        "path": "items",
        "params": {"limit": size},
        "data_selector": "items",
        "paginator": {"type": "cursor", "cursor_path": "next", "cursor_param": "after"},
        "incremental": {"cursor_path": "updated_at", "initial_value": "2000-01-01T00:00:00Z"},
    }
    source = rest_api_source(
        {
            "client": {"base_url": url},
            "resources": [{"name": "items", "primary_key": "id", "endpoint": endpoint}],
        }
    )
    yield from source.resources["items"]


measure(read)
