"""Where things are: the checkout, and what the local cloud keeps in it."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: `causeway dev` deploys its template and its functions."""

TEMPLATE = ROOT / "template.yaml"
LIBRARY = ROOT / "layers" / "causeway"
MAP = ROOT / "integrations"


def state() -> Path:
    """What the local cloud keeps; CAUSEWAY_STATE puts it elsewhere, so that two can run side by side."""
    return Path(os.environ.get("CAUSEWAY_STATE") or ROOT / ".causeway")
