"""A table as Python sees it: plain values, and failed conditions with what they met."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from causeway.aws.dynamodb import from_item, to_item
from causeway.aws.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from causeway.aws.client import Aws
    from causeway.plan.records import JSON

    Item = dict[str, JSON]


_GET_AT_ONCE = 100
"""So many items DynamoDB gets in one call."""


class ConditionFailed(Exception):  # noqa: N818 - it is an answer, not an error
    """A conditional write was refused; ``item`` is what stands there, None if nothing does."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("the item is not as the write supposes")
        self.item = item


class Table:
    """One table with the keys ``id`` and ``part``. Every method raises :class:`AwsError` when AWS does."""

    def __init__(self, aws: Aws, name: str) -> None:
        self._aws = aws
        self._name = name

    def get(self, id_: str, part: str) -> Item | None:
        """An item as it is now, or None."""
        answer = self._call("GetItem", Key=_key(id_, part), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def get_all(
        self, keys: Sequence[tuple[str, str]], names: Sequence[str], *, consistent: bool = True
    ) -> Iterator[Item]:
        """Those of these items that are there, as they are now, in any order.

        Args:
            keys: Of each item ``id`` and ``part``; none twice.
            names: The attributes that are wanted besides.
            consistent: Whether they must be of this moment; as they were a moment ago they cost half.
        """
        words = {f"#{name}": name for name in ("id", "part", *names)}
        for at in range(0, len(keys), _GET_AT_ONCE):
            left: JSON = [_key(*key) for key in keys[at : at + _GET_AT_ONCE]]
            while left:
                asked = {
                    "Keys": left,
                    "ConsistentRead": consistent,
                    "ProjectionExpression": ", ".join(words),
                    "ExpressionAttributeNames": words,
                }
                answer = self._aws.call("dynamodb", "BatchGetItem", {"RequestItems": {self._name: asked}})
                yield from map(from_item, answer["Responses"].get(self._name, []))
                left = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys")

    def put(self, item: Item) -> None:
        """Write a whole item, over what was there."""
        self._call("PutItem", Item=to_item(item))

    def delete(self, id_: str, part: str) -> None:
        """Delete an item; one that is not there is deleted, too."""
        self._call("DeleteItem", Key=_key(id_, part))

    def update(
        self,
        id_: str,
        part: str,
        *,
        values: Mapping[str, JSON],
        defaults: Mapping[str, JSON] | None = None,
        remove: Iterable[str] = (),
        condition: str = "",
        given: Mapping[str, JSON] | None = None,
    ) -> Item | None:
        """Change attributes of an item, or make it; return what was there before.

        Args:
            id_: The hash key.
            part: The range key.
            values: What attributes become.
            defaults: The same for those that are absent.
            remove: Attributes to take away.
            condition: In DynamoDB's words, with ``#name`` for attributes and ``:name`` for ``values`` and
                ``given``.
            given: Values that only the condition names.

        Raises:
            ConditionFailed: the condition does not hold.
        """
        defaults, given = defaults or {}, given or {}
        sets = [f"#{name} = :{name}" for name in values]
        sets += [f"#{name} = if_not_exists(#{name}, :{name})" for name in defaults]
        removes = [f"#{name}" for name in remove]
        expression = "SET " + ", ".join(sets) + (" REMOVE " + ", ".join(removes) if removes else "")
        names = re.findall(r"#(\w+)", f"{expression} {condition}")
        parameters: dict[str, JSON] = {
            "Key": _key(id_, part),
            "UpdateExpression": expression,
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": {
                f":{name}": value for name, value in to_item({**values, **defaults, **given}).items()
            },
            "ReturnValues": "ALL_OLD",
        }
        if condition:
            parameters |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        try:
            answer = self._call("UpdateItem", **parameters)
        except AwsError as error:
            if error.code == "ConditionalCheckFailedException":
                raise ConditionFailed(from_item(error.item) if error.item else None) from None
            raise
        return from_item(answer["Attributes"]) if answer.get("Attributes") else None

    def below(
        self, index: str, hash_key: tuple[str, str], range_key: tuple[str, JSON], page: int
    ) -> Iterator[Item]:
        """The items of an index with one hash key and a range key up to a bound, lowest first.

        Args:
            index: Its name.
            hash_key: Attribute and value.
            range_key: Attribute and the highest value wanted.
            page: Read so many at a time.
        """
        return self._query(
            IndexName=index,
            KeyConditionExpression="#hash = :hash AND #range <= :range",
            ExpressionAttributeNames={"#hash": hash_key[0], "#range": range_key[0]},
            ExpressionAttributeValues=to_item({":hash": hash_key[1], ":range": range_key[1]}),
            Limit=page,
        )

    def between(
        self,
        hash_key: tuple[str, str],
        range_key: tuple[str, JSON, JSON],
        *,
        index: str = "",
        after: Item | None = None,
        newest_first: bool = False,
        page: int = 100,
    ) -> Iterator[Item]:
        """The items with one hash key and a range key between two bounds, both included.

        Args:
            hash_key: Attribute and value.
            range_key: Attribute, the lowest and the highest value wanted.
            index: Of which index; default: of the table itself.
            after: The keys of an item: only what comes after it in this order.
            newest_first: From the highest range key down.
            page: Read so many at a time.
        """
        if range_key[1] > range_key[2]:  # nothing lies between them, and to DynamoDB that is a mistake
            return iter(())
        where = {"IndexName": index} if index else {"ConsistentRead": True}
        start = {"ExclusiveStartKey": to_item(after)} if after else {}
        return self._query(
            KeyConditionExpression="#hash = :hash AND #range BETWEEN :low AND :high",
            ExpressionAttributeNames={"#hash": hash_key[0], "#range": range_key[0]},
            ExpressionAttributeValues=to_item(
                {":hash": hash_key[1], ":low": range_key[1], ":high": range_key[2]}
            ),
            ScanIndexForward=not newest_first,
            Limit=page,
            **where,
            **start,
        )

    def whole(self, index: str, *, most: int) -> list[Item] | None:
        """All that a sparse index holds, in any order; None when that is more than so many items."""
        found: list[Item] = []
        start: JSON = None
        while True:
            more = {"ExclusiveStartKey": start} if start else {}
            answer = self._call("Scan", IndexName=index, Limit=most + 1 - len(found), **more)
            found += map(from_item, answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if len(found) > most:
                return None
            if not start:
                return found

    def parts(self, id_: str) -> Iterator[Item]:
        """All items with this hash key, by their range keys."""
        return self.between(("id", id_), ("part", " ", "~"))

    def _query(self, **parameters: JSON) -> Iterator[Item]:
        """What a query finds; a page is read when its first item is wanted."""
        while True:
            answer = self._call("Query", **parameters)
            yield from map(from_item, answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            parameters["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _call(self, operation: str, **parameters: JSON) -> dict[str, JSON]:
        return self._aws.call("dynamodb", operation, {"TableName": self._name, **parameters})


def _key(id_: str, part: str) -> dict[str, JSON]:
    return to_item({"id": id_, "part": part})
