"""A participant's call in a meeting: what the room says of it, carried out on its leg."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from conference.attendance import LeaveReason
from conference.refusals import Reason, Refused
from engine.conferences.prompts import MUSIC
from media.control import LegFailed, LegMoved, LegStatistics, PlayFinished
from media.pool import WORKER_LOST

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from conference.commands import Command
    from conference.outputs import Mix
    from conference.participant import Participant
    from engine.call.party import Party
    from engine.conferences.live_room import LiveRoom
    from media.control import LegEvent

LAST_WORDS_SECONDS = 15.0
"""Who is to be hung up after what is said to it is hung up then at the latest."""
MOST_WAITING = 8
"""Announcements that wait to be said to one; of more the oldest is not said."""
_TAGS = 1 << 20
"""Our plays are numbered from here, so that they are no application's."""


class SeatListener(Protocol):
    """The application whose caller sits here."""

    def seat_left(self, reason: LeaveReason) -> None:
        """It is no longer in a meeting; its call ends after what is still said to it, unless it is transferred."""


@dataclass(slots=True)
class _Saying:
    prompts: list[str]
    told: Callable[[bool], None]
    ours: bool  # of the application, which may take it back
    tag: int = 0


def unheard(_heard: bool) -> None:
    """When nobody waits for the end of what is said."""


def _nothing() -> None:
    """What its end concerns nobody else."""


class Seat:
    """One participant. ``live`` and ``id`` change when it is moved to another meeting."""

    def __init__(self, live: LiveRoom, participant: int, party: Party, listener: SeatListener) -> None:
        self.live = live
        self.id = participant
        self.party = party
        self.listener = listener
        self.media_room: str | None = None
        self.name_prompt: str | None = None
        self.on_ended: Callable[[], None] = _nothing
        """Called when its call is over while it is in no meeting."""
        self._reason = LeaveReason.HUNG_UP
        self._queue: deque[_Saying] = deque()
        self._saying: _Saying | None = None
        self._music = False
        self._playing_music = False
        self._last_tag = _TAGS
        self._leaving: IDelayedCall | None = None

    # ---- what the application asks

    @property
    def me(self) -> Participant:
        """Its entry of the list. Raises Refused when it is on none."""
        found = self.live.room.state.participants.get(self.id)
        if found is None:
            raise Refused(Reason.UNKNOWN_PARTICIPANT)
        return found

    def act(self, command: Command) -> None:
        """Do a verb in its own name. Raises Refused."""
        self.live.act(command, self.id)

    def play(self, prompts: list[str], told: Callable[[bool], None] = unheard) -> None:
        """Say something of the application's to it, the room going on beneath."""
        self._say(_Saying(prompts, told, ours=True))

    def hush(self) -> None:
        """Take back what the application had said; the room's own announcements stay."""
        self._queue = deque(each for each in self._queue if not each.ours)
        if self._saying is not None and self._saying.ours:
            self._saying = None
            if self.party.leg is not None:
                self.party.leg.stop_playing()
            self._next()

    def leg_event(self, event: LegEvent) -> None:
        """What its leg says: to be passed on by the application."""
        saying = self._saying
        if isinstance(event, PlayFinished) and saying is not None and event.tag == saying.tag:
            self._saying = None
            saying.told(not event.interrupted)
            self._next()
        elif isinstance(event, LegFailed) and event.reason == WORKER_LOST:
            self._reason = LeaveReason.LOST
        elif isinstance(event, LegStatistics) and event.quality is not None:
            self.live.room.measured(self.id, mos=event.quality.mos_average)
        elif isinstance(event, LegMoved) and saying is None and self._playing_music:
            self._playing_music = False
            self._next()

    def ended(self) -> None:
        """Its call is over."""
        self._stop_timer()
        self._queue.clear()
        self._saying = None
        self.live.left(self, self._reason)
        self.on_ended()

    # ---- what the room wants

    def enter(self, media_room: str, label: str) -> None:
        """Be mixed there."""
        self.media_room = media_room
        if self.party.leg is not None:
            self.party.leg.join_room(media_room, label)

    def leave(self) -> None:
        """Be mixed nowhere."""
        if self.media_room is not None and self.party.leg is not None:
            self.party.leg.leave_room()
        self.media_room = None

    def mix(self, mix: Mix) -> None:
        """Be mixed like that."""
        if self.party.leg is not None:
            self.party.leg.set_participant(
                muted=mix.muted, gain_db=mix.gain_db, volume_db=mix.volume_db, agc=False
            )

    def say(self, prompts: list[str], told: Callable[[bool], None] = unheard) -> None:
        """Hear an announcement, after those that wait."""
        self._say(_Saying(prompts, told, ours=False))

    def music(self, on: bool) -> None:
        """Hear music whenever nothing is said."""
        self._music = on
        if self._saying is None:
            self._next()

    def hang_up(self) -> None:
        """End the call once everything is said."""
        self._music = False
        if self._leaving is None:
            self._leaving = self.party.services.clock.callLater(LAST_WORDS_SECONDS, self._last_words_said)
        if self._saying is None:
            self._next()

    # ---- saying

    def _say(self, saying: _Saying) -> None:
        self._queue.append(saying)
        while len(self._queue) > MOST_WAITING:
            self._queue.popleft().told(False)
        if self._saying is None:
            self._next()

    def _next(self) -> None:
        leg = self.party.leg
        if self.party.ended or leg is None or self._saying is not None:
            return
        while self._queue:
            saying = self._queue.popleft()
            if not all(map(self.party.services.media.has_prompt, saying.prompts)):
                self.party.services.count("conference_prompt_unknown")
                saying.told(False)
                continue
            self._last_tag += 1
            saying.tag = self._last_tag
            self._saying, self._playing_music = saying, False
            leg.play(saying.prompts, tag=saying.tag, under=True)
            return
        if self._leaving is not None:
            self._last_words_said()
        elif self._music is not self._playing_music:
            self._playing_music = self._music
            if not self._music:
                leg.stop_playing()
            elif self.party.services.media.has_prompt(MUSIC):
                leg.play([MUSIC], loop=True, tag=0, under=True)

    def _last_words_said(self) -> None:
        self._stop_timer()
        self.party.hang_up()

    def _stop_timer(self) -> None:
        if self._leaving is not None and self._leaving.active():
            self._leaving.cancel()
        self._leaving = None
