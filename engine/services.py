"""Services that run beside the calls, found by entry point: the engine starts them without knowing them.

``admin_api`` is one; it imports ``engine``, never the other way (design, folders).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from twisted.internet.interfaces import (
        IReactorCore,
        IReactorSSL,
        IReactorTCP,
        IReactorTime,
        IReactorUNIX,
    )

    from engine.administration.desk import Desk
    from engine.administration.event_reading import EventReading
    from engine.authentication.authenticator import Authenticator
    from engine.conferences.administration import ConferenceAdministration
    from engine.conferences.planned import PlannedMeetings
    from engine.config import Config
    from engine.status import StatusSource

    class ServiceReactor(IReactorTCP, IReactorSSL, IReactorUNIX, IReactorTime, IReactorCore):
        """What a service may ask of the reactor."""


GROUP = "polyphony.services"


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """What a service is given.

    authenticator: who somebody is; it may take a while and never blocks the reactor.
    certificate, key: PEM files for whatever must be served over TLS.
    """

    reactor: ServiceReactor
    config: Config
    status: StatusSource
    authenticator: Authenticator
    conferences: ConferenceAdministration
    planned: PlannedMeetings
    desk: Desk
    events: EventReading
    socket: Path
    certificate: Path
    key: Path


class Service(Protocol):
    """Something that runs as long as the engine does."""

    async def start(self) -> Mapping[str, str]:
        """Begin; returns what the ready line should tell (``api``, ``console``)."""

    async def stop(self) -> None:
        """End; open requests may finish."""


def load_services(context: ServiceContext) -> list[Service]:
    """Every installed service, ready to be started, in the order of their names."""
    found = sorted(entry_points(group=GROUP), key=lambda each: each.name)
    return [each.load()(context) for each in found]
