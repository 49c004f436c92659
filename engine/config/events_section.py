"""The keys of the section ``events``: how much of what happened is kept, and where webhooks may lead."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.config.annotation import key


class EventsSection(msgspec.Struct, frozen=True, kw_only=True):
    """The event log of each company, the audit log, and webhooks."""

    most: Annotated[
        int,
        key(
            "Events kept for each company; the oldest go.",
            unit="events",
            low=1000,
            high=100_000_000,
            reloads=True,
        ),
    ] = 500_000
    days: Annotated[
        int,
        key(
            "How long events are kept, if there are not too many.",
            unit="days",
            low=1,
            high=3650,
            reloads=True,
        ),
    ] = 90
    audit_days: Annotated[
        int,
        key("How long the audit log is kept.", unit="days", low=1, high=36_500, reloads=True),
    ] = 730
    webhook_networks: Annotated[
        list[str],
        key(
            "Networks webhooks may lead to although they are not public, such as your own.",
            check="networks",
            reloads=True,
            example='["192.168.10.0/24"]',
        ),
    ] = msgspec.field(default_factory=list)
    webhook_plain: Annotated[
        bool,
        key("Whether webhooks may lead to http:// addresses; else to https:// ones only.", reloads=True),
    ] = False
