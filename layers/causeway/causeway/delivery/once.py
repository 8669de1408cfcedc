"""Powertools' idempotency over the journal.

Powertools' own layers do not fit a delivery: returning stores "completed", raising deletes the record and
with it the history, and one layer serves all threads. So there is one object per delivery and never another,
and it writes what the delivery decides: Powertools says *when* (before, after, after a failure),
:class:`Guarded` says *what*.

Its exceptions wrap ours; they are unwrapped here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
    IdempotencyPersistenceLayerError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import (
    STATUS_CONSTANTS,
    DataRecord,
)

from causeway.delivery.journal import NotClaimed

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


class Guarded(Protocol):
    """A delivery as Powertools' idempotency sees it."""

    @property
    def id(self) -> str:
        """The key."""

    def claim(self) -> None:
        """Before: raises :class:`NotClaimed` when it may not run."""

    def run(self, *, delivery_id: str) -> None:
        """The attempt itself."""

    def succeeded(self) -> None:
        """After: it was delivered."""

    def failed(self, error: Exception) -> None:
        """After: it was not."""


class _Record(BasePersistenceLayer):
    """The journal's item of one delivery."""

    def __init__(self, delivery: Guarded) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # it has no types
        self.delivery = delivery
        self.not_claimed: NotClaimed | None = None
        self._error: Exception | None = None

    def _get_hashed_idempotency_key(self, data: Any) -> str:
        return str(data)  # the delivery's id is the key

    def _put_record(self, data_record: DataRecord) -> None:
        try:
            self.delivery.claim()
        except NotClaimed as refused:
            self.not_claimed = refused
            running = refused.item["status"] == "running"
            status = STATUS_CONSTANTS["INPROGRESS" if running else "COMPLETED"]
            found = DataRecord(data_record.idempotency_key, status)
            raise IdempotencyItemAlreadyExistsError(old_data_record=found) from refused

    def _update_record(self, data_record: DataRecord) -> None:  # noqa: ARG002 - the delivery knows
        self.delivery.succeeded()

    def delete_record(self, data: dict[str, Any], exception: Exception) -> None:
        """Nothing is deleted: what raised says what the journal gets instead."""
        self._error = exception
        super().delete_record(data, exception)

    def _delete_record(self, data_record: DataRecord) -> None:  # noqa: ARG002 - the delivery knows
        if self._error is not None:
            self.delivery.failed(self._error)

    def _get_record(self, idempotency_key: str) -> DataRecord:
        # Never asked: a conflict brings the record with it.
        raise IdempotencyItemNotFoundError(idempotency_key)


def once(delivery: Guarded, context: LambdaContext) -> None:
    """Run a delivery's attempt unless it is running or done.

    Raises:
        NotClaimed: it may not run; carries the journal's item.
        Exception: what the attempt raised, after the journal has it; or what kept the journal from having it.
    """
    record = _Record(delivery)
    config = IdempotencyConfig(use_local_cache=False)
    config.register_lambda_context(context)

    def attempt(*, delivery_id: str) -> None:
        delivery.run(delivery_id=delivery_id)

    guarded = idempotent_function(
        attempt, data_keyword_argument="delivery_id", persistence_store=record, config=config
    )
    try:
        guarded(delivery_id=delivery.id)
    except IdempotencyPersistenceLayerError as error:
        raise error.__cause__ or error from None
    except IdempotencyAlreadyInProgressError:
        pass  # told below, with the item
    if record.not_claimed is not None:
        raise record.not_claimed
