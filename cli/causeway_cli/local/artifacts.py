"""What is uploaded before a deployment: functions' code and the plan's layer as zip files, the template."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

BUCKET = "causeway-artifacts"

_EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip's earliest time: the same files make the same bytes


def source_files(directory: Path) -> Iterator[Path]:
    """The files below a directory, sorted, without what Python writes there itself."""
    for path in sorted(directory.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
            yield path


def fingerprint(directory: Path) -> str:
    """Changes when a file below the directory does."""
    digest = hashlib.sha256()
    for path in source_files(directory):
        digest.update(
            f"{path.relative_to(directory)}\0".encode() + hashlib.sha256(path.read_bytes()).digest()
        )
    return digest.hexdigest()[:16]


def zipped(directory: Path) -> bytes:
    """A zip file of a directory's files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in source_files(directory):
            member = zipfile.ZipInfo(str(path.relative_to(directory)), _EPOCH)
            member.external_attr = 0o644 << 16
            archive.writestr(member, path.read_bytes())
    return buffer.getvalue()


class Artifacts:
    """Uploads directories to a bucket, under their content's hash.

    Args:
        clients: The AWS to upload to.
    """

    def __init__(self, clients: Callable[[str], Any]) -> None:
        self._s3 = clients("s3")
        self._s3.create_bucket(Bucket=BUCKET)
        self._known: dict[str, str] = {}

    def upload_template(self, template: Mapping[str, Any]) -> str:
        """Upload a template and return its URL: one in the call itself may have 51,200 bytes and no more."""
        content = json.dumps(template).encode()
        key = f"{hashlib.sha256(content).hexdigest()}.json"
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return f"https://s3.amazonaws.com/{BUCKET}/{key}"

    def upload(self, directory: Path) -> str:
        """Upload a directory and return its ``s3://`` address, which changes with its content."""
        print_of = f"{directory}:{fingerprint(directory)}"
        if print_of not in self._known:
            content = zipped(directory)
            key = f"{hashlib.sha256(content).hexdigest()}.zip"
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=content)
            self._known[print_of] = f"s3://{BUCKET}/{key}"
        return self._known[print_of]
