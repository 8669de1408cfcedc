"""An AWS in memory whose indexes are late, as those of DynamoDB are: by a moment."""

from __future__ import annotations

from collections import defaultdict

from tests.support.memory_aws import MemoryAws


class LateIndexes(MemoryAws):
    """Indexes show what was in the table a moment ago."""

    shown = None

    def catch_up(self):
        shown = {name: dict(items) for name, items in self.tables.items()}
        self.shown = defaultdict(dict, shown)

    def _dynamodb_query(self, parameters):
        if "IndexName" not in parameters or self.shown is None:
            return super()._dynamodb_query(parameters)
        tables, self.tables = self.tables, self.shown
        try:
            return super()._dynamodb_query(parameters)
        finally:
            self.tables = tables
