"""What the engine has to do with letters: planning meetings by mail, reports of those that are over, and the post.

Everything blocking runs in the store's thread or the post's; the picture of a report is drawn by a child process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from twisted.internet.defer import DeferredSemaphore, ensureDeferred
from twisted.logger import Logger

from conference.schedule import Agenda
from engine.letters.planning import Planning, mail_of, new_identity, way_of
from engine.letters.report import Addressee, drawing, report_letter
from engine.mail.delivery import MailServer
from engine.mail.post import Post
from engine.own_thread import in_own_thread

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from conference.attendance import MeetingReport
    from engine.config.mail_section import MailSection
    from engine.letters.picture import Drawing
    from engine.mail.post import PostReactor
    from engine.store import Store
    from engine.store.mails import Mail
    from engine.store_thread import StoreThread

log = Logger()
DRAWING_SECONDS = 30
HOUR = 3600.0


class Office:
    """Started once the store is open. Without ``mail.host`` and ``mail.sender`` nothing is sent, and nothing queued."""

    def __init__(self, reactor: PostReactor, thread: StoreThread, store: Store, section: MailSection) -> None:
        self._reactor = reactor
        self._thread = thread
        self._store = store
        self._section = section
        self._stopping = False
        self._turn = DeferredSemaphore(1)  # a report at a time: each draws
        self.post = Post(reactor, thread, store.mails, self._server, section.give_up_hours * HOUR, time.time)

    def start(self) -> None:
        """Send what an earlier process left."""
        self.post.wake()

    def stop(self) -> Deferred[None]:
        """Write the reports of what ended with the engine, without pictures; the next process sends them."""
        self._stopping = True
        return self._turn.run(self.post.stop)

    def planning(self) -> Planning:
        """To plan meetings with, in the store's thread."""
        queued = self.post.wake
        return Planning(
            self._store, way_of(self._section), time.time, lambda: self._reactor.callFromThread(queued)
        )

    def report(self, report: MeetingReport) -> None:
        """A conference is over: write to its organiser, if there is an address to write to."""
        if self._section.enabled:
            written = self._turn.run(lambda: ensureDeferred(self._report(report)))
            written.addErrback(lambda failure: log.failure("the report is not written", failure=failure))

    async def _report(self, report: MeetingReport) -> None:
        to = await self._thread.call(self._addressee, report)
        if to is not None:
            mail = await in_own_thread(self._reactor, "report", lambda: self._letter(report, to))
            await self._thread.call(self._store.mails.put, [mail])
            self.post.wake()

    def _addressee(self, report: MeetingReport) -> Addressee | None:
        """The organiser of the meeting that was planned then, or else whose room it is. In the store's thread."""
        agenda = Agenda(self._store.planned_meetings.of_room(report.number))
        planned = agenda.open(report.number, datetime.fromtimestamp(report.opened_at, UTC))
        if planned is not None and planned[0].organiser_address:
            meeting = planned[0]
            return Addressee(
                meeting.organiser_name, meeting.organiser_address, meeting.language, meeting.zone
            )
        room = self._store.rooms.get(report.number)
        if room is None or not room.owner_address:
            return None
        here = datetime.fromtimestamp(report.opened_at, UTC).astimezone().tzinfo or UTC
        return Addressee("", room.owner_address, report.language, here)

    def _letter(self, report: MeetingReport, to: Addressee) -> Mail:
        made_at = datetime.fromtimestamp(int(time.time()), UTC)
        sender = self._section.sender
        picture = None if self._stopping else drawn(drawing(report, to))
        letter = report_letter(report, to, sender, picture, made_at, new_identity(sender))
        return mail_of(letter, time.time())

    def _server(self) -> MailServer | None:
        return MailServer.of(self._section) if self._section.enabled else None


def drawn(picture: Drawing) -> bytes | None:
    """The picture as a PNG, by a process of its own; None when that fails, which is logged. Blocks."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "engine.letters.picture"]
    try:
        done = subprocess.run(
            command,
            input=msgspec.json.encode(picture),
            capture_output=True,
            check=True,
            timeout=DRAWING_SECONDS,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        log.error("the picture of a report is not drawn: {error}", error=error)
        return None
    return done.stdout
