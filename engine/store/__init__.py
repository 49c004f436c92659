"""The store: tables, migrations and the one writer."""

from __future__ import annotations

from engine.store.errors import (
    Forbidden,
    InUse,
    Invalid,
    NewerStore,
    NotFound,
    Spent,
    Stale,
    StoreError,
    Taken,
)
from engine.store.files import Ending
from engine.store.records import (
    DTMF_MODES,
    AutomateRange,
    CallRecord,
    DtmfMode,
    Line,
    Link,
    Prompt,
    Recording,
)
from engine.store.store import Store

__all__ = [
    "DTMF_MODES",
    "AutomateRange",
    "CallRecord",
    "DtmfMode",
    "Ending",
    "Forbidden",
    "InUse",
    "Invalid",
    "Line",
    "Link",
    "NewerStore",
    "NotFound",
    "Prompt",
    "Recording",
    "Spent",
    "Stale",
    "Store",
    "StoreError",
    "Taken",
]
