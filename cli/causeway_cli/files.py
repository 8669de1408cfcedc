"""Files that commands are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causeway_cli.errors import CommandError

if TYPE_CHECKING:
    from pathlib import Path


def bytes_of(file: Path) -> bytes:
    """What is in a file.

    Raises:
        CommandError: It cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
