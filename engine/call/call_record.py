"""A call's last words, as the store keeps them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.domain.scope import DEFAULT_COMPANY, plain
from engine.store.records import CallRecord

if TYPE_CHECKING:
    from engine.call.party import Party
    from media.control import LegStatistics


def call_record(party: Party, statistics: LegStatistics, seconds: float) -> CallRecord:
    """What is kept of a party's call, from the last statistics of its leg; ``seconds`` since it was answered."""
    quality, call, destination = statistics.quality, party.call, party.destination
    kind, _, link = ("" if call is None else call.peer_class or "").partition(":")
    return CallRecord(
        call_id=party.call_id,
        number=party.number,
        direction="in" if destination is None else "out",
        link=plain(link) if kind == "link" else "",
        codec="" if party.audio is None else party.audio.codec.name,
        started_at=time.time() - seconds,
        seconds=seconds,
        packets_sent=statistics.packets_sent,
        packets_received=statistics.packets_received,
        lost=statistics.lost,
        late=statistics.late,
        remote_lost=statistics.remote_lost,
        jitter_average_ms=statistics.jitter_ms if quality is None else quality.jitter_average_ms,
        jitter_most_ms=statistics.jitter_ms if quality is None else quality.jitter_most_ms,
        delay_ms=None if quality is None else quality.delay_ms,
        mos_lowest=None if quality is None else quality.mos_lowest,
        mos_average=None if quality is None else quality.mos_average,
        remote_mos=None if quality is None else quality.remote_mos,
        company_id=party.listener.company or DEFAULT_COMPANY,
    )
