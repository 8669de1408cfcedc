"""A map with one poll, of the API that `polled_api` serves."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from causeway.plan.compiler import compile_map
from causeway.plan.plan import Plan
from causeway.plan.records import Poll

_SYSTEM = """
system: shop
api: {{base_url: {url}, allow_private: [127.0.0.0/8]}}
polls:
  orders:
    every: 10m
    get: /items
    query: {{limit: {size}}}
    records: body.items
    id: id
    version: updated_at
    cursor: {{field: updated_at, param: since, start: "2000-01-01T00:00:00Z", lookback: 10m}}
    paginate: {{cursor: body.next, param: after}}
"""
_INTEGRATION = """
integration: orders-copy
owner: {team: desk, email: desk@example.com}
source: {system: shop, poll: orders}
flow: {}
target: {queue: copies}
frequency: {expect_every: never}
errors: {}
"""


@lru_cache
def poll_of(url: str, size: int) -> tuple[Plan, Poll]:
    """Its plan, and the poll. It is compiled once, as it is when a map is built."""
    with TemporaryDirectory() as directory:
        (Path(directory) / "systems").mkdir()
        (Path(directory) / "systems" / "shop.yaml").write_text(_SYSTEM.format(url=url, size=size))
        (Path(directory) / "orders-copy.yaml").write_text(_INTEGRATION)
        plan = Plan(compile_map(Path(directory)).plans["dev"])
    return plan, plan.systems["shop"]["polls"]["orders"]
