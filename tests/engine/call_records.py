"""Call records as tests want them."""

from __future__ import annotations

from typing import Any

from engine.store import CallRecord


def call_record(**changes: Any) -> CallRecord:
    """A call of a minute that lost two packets."""
    values: dict[str, Any] = {
        "call_id": "a@b",
        "number": "200",
        "direction": "in",
        "link": "",
        "codec": "PCMU",
        "started_at": 1000.0,
        "seconds": 60.0,
        "packets_sent": 3000,
        "packets_received": 2998,
        "lost": 2,
        "late": 1,
        "remote_lost": 0,
        "jitter_average_ms": 1.5,
        "jitter_most_ms": 4.0,
        "delay_ms": 60.0,
        "mos_lowest": 4.1,
        "mos_average": 4.3,
        "remote_mos": None,
    }
    return CallRecord(**(values | changes))
