"""The media plane as the engine sees it: legs to open, prompts to load, workers that may die."""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, fail
from twisted.logger import Logger

from media import control
from media.control import LegFailed, LegMoved, LegSpec
from media.headroom import Headroom
from media.leg import Leg, LegState
from media.opening import MOST_ROOM_LEGS, Opening, place_in_room
from media.pool_rooms import PoolRooms
from media.settings import MediaSettings
from media.supervisor import Supervisor, WorkerProcess

if TYPE_CHECKING:
    from media.supervisor import Reactor

START_SECONDS = 10.0
"""Workers that are not up so long after ``start`` are a fault of the installation."""
WORKER_LOST = "worker_lost"
OVERLOADED = "overloaded"
TONE = "tone/"
"""Begins the names of prompts that workers compute."""
QUIET_SECONDS = 10.0
"""Between two lines of the log about the same thing."""
MOST_WAIT = 1.0
"""Seconds a lost worker's legs wait for its successor. One that starts later, since they keep dying, gets none:
it may be one of these calls that kills them."""

_log = Logger()


class MediaError(Exception):
    """The media plane cannot do what was asked; ``reason`` is a stable label."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WorkerPool(PoolRooms):
    """Workers, their legs and the prompts they hold.

    When a worker dies, the process started in its place opens its legs again, on their old ports where it can, and
    makes them what they were; each is told with ``LegMoved``. ``on_worker_lost(worker, legs)`` is called at the loss,
    with those of its legs that are to come back.
    """

    def __init__(
        self,
        reactor: Reactor,
        settings: MediaSettings,
        *,
        on_worker_lost: Callable[[WorkerProcess, list[Leg]], None] | None = None,
    ) -> None:
        self._reactor = reactor
        self._on_worker_lost = on_worker_lost
        super().__init__(
            Supervisor(
                reactor, settings, on_event=self._event, on_lost=self._lost, on_restarted=self._restarted
            )
        )
        self._ids = itertools.count(1)
        self._legs: dict[int, Leg] = {}
        self._opening: dict[int, Opening] = {}
        self._load: Counter[int] = Counter()  # legs by worker, those on their way counted
        self._headroom = Headroom()
        self._room_legs = MOST_ROOM_LEGS
        self._refused_at = -QUIET_SECONDS
        self._prompts: dict[str, str] = {}
        self._later: frozenset[str] = frozenset()
        self._unfit_prompts: set[str] = set()
        self._recording_seconds: int | None = None
        self._greetings: dict[int, control.Started] = {}  # of workers that had another engine before us
        self._missed: list[tuple[WorkerProcess, control.LegEvent]] | None = []
        self._waiting: set[int] = set()
        self._all_up: Deferred[None] | None = None
        self.statistics: dict[int, control.WorkerStatistics] = {}
        """The last totals each worker sent, by its index."""

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in self._supervisor.workers if worker.running and worker.pid]

    @property
    def load(self) -> dict[int, int]:
        """Legs by the process that carries them."""
        return {
            each.pid: self._load[each.index] for each in self._supervisor.workers if each.running and each.pid
        }

    @property
    def shares(self) -> dict[int, float]:
        """The share of a core each process used when it last said."""
        return {
            each.pid: self._headroom.share(each.index)
            for each in self._supervisor.workers
            if each.running and each.pid
        }

    @property
    def ports(self) -> dict[int, int]:
        """Pairs of ports each process had in use when it last said."""
        return {
            each.pid: self.statistics[each.index].ports
            for each in self._supervisor.workers
            if each.running and each.pid and each.index in self.statistics
        }

    def share_of(self, index: int) -> float:
        """The share of a core a worker used when it last said."""
        return self._headroom.share(index)

    @property
    def totals(self) -> dict[str, int]:
        """What the pool has counted, and what its workers had when they last said; theirs begin anew with each."""
        totals = Counter(self.counters)
        totals.update(workers_hung=self._supervisor.hung)
        for each in self.statistics.values():
            totals.update(each.counters)
            totals.update(ticks_late=each.late_ticks, ticks_skipped=each.skipped_ticks)
        return dict(+totals)

    @property
    def legs(self) -> int:
        """How many legs are open."""
        return sum(leg.alive for leg in self._legs.values())

    def begin_turn(self) -> None:
        """Let commands gather until ``end_turn``."""
        self._supervisor.begin_turn()

    def end_turn(self) -> None:
        """Write what has gathered."""
        self._supervisor.end_turn()

    async def start(self) -> None:
        """Start the workers and wait until they answer. Raises MediaError."""
        self._waiting = {worker.index for worker in self._supervisor.workers}
        self._all_up = up = Deferred[None]()
        patience = self._reactor.callLater(START_SECONDS, self._not_up)
        self._supervisor.start()
        try:
            await up
        finally:
            if patience.active():
                patience.cancel()

    def _not_up(self) -> None:
        if self._all_up is not None:
            waiting, self._all_up = self._all_up, None
            waiting.errback(MediaError("workers_do_not_start"))

    async def stop(self) -> None:
        """Close every leg and recording and end the workers."""
        await self._supervisor.stop()

    def open_leg(
        self, spec: LegSpec, near: Leg | None = None, room: str | None = None, *, towards: str | None = None
    ) -> Deferred[Leg]:
        """Open a leg on the least loaded worker, on the one of ``near``, or on one of a room it is to join.

        ``towards``: a room it may join later, or not; it does not count as there before, but is opened where that is.

        A room stays on the worker of its first leg until that has no headroom, or ``room_legs`` of it; then it spreads
        to the next. Fails with MediaError; its reason is ``overloaded`` when no worker it may be on has headroom for
        one more.
        """
        worker = self._choose(near, room or towards)
        if worker is None:
            return fail(MediaError(WORKER_LOST))
        if not self._headroom.admits(worker.index, self._load[worker.index]):
            self._overloaded(worker)
            return fail(MediaError(OVERLOADED))
        leg: Deferred[Leg] = Deferred()
        stream = control.begin_stream(secrets.randbits)
        self._open(Opening(worker, spec, stream, leg, near is not None, room))
        return leg

    def _overloaded(self, worker: WorkerProcess) -> None:
        self.counters["legs_refused_overloaded"] += 1
        if self._reactor.seconds() - self._refused_at >= QUIET_SECONDS:
            self._refused_at = self._reactor.seconds()
            _log.warn(
                "media worker {index} uses {share:.0%} of a core for {legs} legs: new calls are refused",
                index=worker.index,
                share=self._headroom.share(worker.index),
                legs=self._load[worker.index],
            )

    def limit_load(self, share: float) -> None:
        """Open no legs on a worker that uses more than this share of a core; those it has stay."""
        self._headroom.line = share

    def limit_rooms(self, legs: int) -> None:
        """Let a room spread to another worker when one has so many of its legs, if there is another with headroom."""
        self._room_legs = legs

    def _open(self, opening: Opening) -> None:
        leg_id = next(self._ids)
        self._opening[leg_id] = opening
        self._load[opening.worker.index] += 1
        if opening.room is not None:
            self._enter(opening.room, leg_id, opening.worker.index)
        opening.worker.send(control.OpenLeg(leg_id, opening.spec, stream=opening.stream))

    def _choose(self, near: Leg | None, room: str | None = None) -> WorkerProcess | None:
        running = [worker for worker in self._supervisor.workers if worker.running]
        if room is not None and self._places.workers(room):
            able = {
                each.index for each in running if self._headroom.admits(each.index, self._load[each.index])
            }
            return place_in_room(self._places.workers(room), self._room_legs, running, able, self._burden)
        if near is not None:
            worker = near.worker if isinstance(near.worker, WorkerProcess) else None
            return worker if near.alive and worker is not None and worker.running else None
        return min(running, key=self._burden, default=None)

    def _burden(self, worker: WorkerProcess) -> tuple[float, int]:
        """What a leg is placed by: the load that is measured and expected, then the number of legs."""
        legs = self._load[worker.index]
        return round(self._headroom.expected(worker.index, legs), 2), legs

    def load_prompt(self, name: str, path: str, *, later: bool = False) -> None:
        """Make a prompt known to every worker, now and after a restart. ``later``: read when it is first played."""
        self._prompts[name] = path
        self._later = self._later | {name} if later else self._later - {name}
        self._unfit_prompts.discard(name)
        for worker in self._supervisor.workers:
            greeting = self._greetings.get(worker.index)
            if greeting is None or greeting.prompts.get(name) != path:  # else it has it already
                worker.send(control.LoadPrompt(name, path, later))

    def has_prompt(self, name: str) -> bool:
        """Whether it was asked to be loaded, and no worker found it unfit; tones need not be."""
        return (name in self._prompts or name.startswith(TONE)) and name not in self._unfit_prompts

    def forget_prompt(self, name: str) -> None:
        """Play a prompt no more; who hears it hears it to its end."""
        if self._prompts.pop(name, None) is not None:
            for worker in self._supervisor.workers:
                worker.send(control.ForgetPrompt(name))

    def limit_recordings(self, seconds: int) -> None:
        """Let no recording begun from now on be longer; after a restart of a worker, too."""
        self._recording_seconds = seconds
        for worker in self._supervisor.workers:
            worker.send(control.LimitRecordings(seconds))

    # What workers say.

    def _event(self, worker: WorkerProcess, event: control.Event) -> None:
        match event:
            case control.Started():
                self._greeted(worker, event)
            case control.LegOpened(leg=leg_id, local_port=port):
                self._opened(leg_id, port)
            case control.LegRefused(leg=leg_id, reason=reason):
                self._refused(leg_id, reason)
            case control.LegClosed(leg=leg_id):
                self._closed(leg_id)
            case control.WorkerStatistics():
                self.statistics[worker.index] = event
            case control.WorkerLoad():
                self._headroom.told(worker.index, event, self._load[worker.index])
            case control.Talkers():
                self._talkers(worker.index, event)
            case control.RoomRecordingClosed():
                self._room_recorded(worker.index, event)
            case control.RoomShared():
                self._shared(worker.index, event)
            case control.RoomPlayFinished():
                self._room_played(self._places.plays.ended(worker.index, event))
            case control.PromptLoaded():
                self.counters["prompts_loaded"] += 1
            case control.PromptRefused(name=name, reason=reason):
                self.counters["prompts_refused"] += 1
                self._unfit_prompts.add(name)
                _log.error("prompt {name} cannot be played: {reason}", name=name, reason=reason)
            case control.Stopped():
                _log.debug("media worker {index} has closed its legs", index=worker.index)
            case _:
                self._leg_event(worker, event)

    def _leg_event(self, worker: WorkerProcess, event: control.LegEvent) -> None:
        leg = self._legs.get(event.leg)
        if leg is not None:
            self._tell(leg, event)
        elif self._missed is not None and worker.index in self._greetings:
            self._missed.append((worker, event))

    def _tell(self, leg: Leg, event: control.LegEvent) -> None:
        """Pass an event on. What its hearer makes of it must not cost the worker its channel."""
        try:
            leg.heard(event)
        except Exception:  # the driver's last line: one call's fault stays that call's
            self.counters["event_faults"] += 1
            _log.failure("leg {leg}: {event} was not handled", leg=leg.id, event=event)

    # ---- after an engine that died

    def adopt(self, states: Sequence[LegState]) -> dict[int, Leg]:
        """Go on with the legs of an earlier engine; the rest of what its workers carry is closed.

        Call it once, after ``start``, with what the journal says; legs whose worker is gone are opened again. What
        happened to them meanwhile is told in the next turn, so give them their hearers in this one.
        """
        workers = self._supervisor.workers
        found: dict[int, Leg] = {}
        for state in states:
            worker = workers[state.worker % len(workers)]
            leg = found[state.id] = Leg.restored(state, worker)
            leg.on_join = self._joins
            self._load[worker.index] += 1
            if state.room is not None:
                self._enter(state.room, state.id, worker.index)
        for state in states:
            if state.bridged in found:
                found[state.id].is_joined(found[state.bridged])
        self._legs.update(found)
        known = {leg_id for greeting in self._greetings.values() for leg_id in greeting.legs}
        self._ids = itertools.count(max(known | set(found), default=0) + 1)
        for worker in workers:
            mine = [leg for leg in found.values() if leg.worker is worker]
            greeting = self._greetings.pop(worker.index, None)
            present = set() if greeting is None else set(greeting.legs)
            if greeting is not None:
                worker.send(control.KeepLegs([leg.id for leg in mine]))
                self._shares.adopt(worker.index, greeting.shared, self._places.workers)
            self.counters["legs_adopted"] += sum(leg.id in present for leg in mine)
            self._bring_back(worker, [leg for leg in mine if leg.id not in present])
        self._reactor.callLater(0, self._tell_missed)
        return found

    def _tell_missed(self) -> None:
        """What the workers had to say while there was no engine."""
        missed, self._missed = self._missed, None
        for worker, event in missed or ():
            self._event(worker, event)

    def _greeted(self, worker: WorkerProcess, greeting: control.Started) -> None:
        if greeting.ports is not None:  # it has worked for another engine
            self._greetings[worker.index] = greeting
        self._worker_up(worker)

    def _worker_up(self, worker: WorkerProcess) -> None:
        self._waiting.discard(worker.index)
        if not self._waiting and self._all_up is not None:
            up, self._all_up = self._all_up, None
            up.callback(None)

    def _opened(self, leg_id: int, port: int) -> None:
        opening = self._opening.pop(leg_id, None)
        if opening is None:
            self._moved(leg_id, port)
            return
        leg = self._legs[leg_id] = Leg(leg_id, opening.worker, opening.spec, port, opening.stream)
        leg.on_join = self._joins
        if opening.leg.called:  # cancelled meanwhile
            leg.close()
        else:
            opening.leg.callback(leg)

    def _joins(self, leg: Leg, room: str) -> None:
        self._enter(room, leg.id, leg.worker.index)

    def _moved(self, leg_id: int, port: int) -> None:
        """A leg that was lost is there again."""
        leg = self._legs.get(leg_id)
        if leg is not None:
            self.counters["legs_moved"] += 1
            leg.local_port = port
            self._tell(leg, LegMoved(leg_id, port))

    def _refused(self, leg_id: int, reason: str) -> None:
        self.counters[f"legs_refused_{reason}"] += 1
        opening = self._opening.pop(leg_id, None)
        if opening is None:
            self._fail(leg_id)
            return
        self._leave(leg_id)
        self._load[opening.worker.index] -= 1
        if not opening.leg.called:
            opening.leg.errback(MediaError(reason))

    def _fail(self, leg_id: int) -> None:
        """A leg cannot come back."""
        leg = self._legs.pop(leg_id, None)
        if leg is not None:
            self._leave(leg_id, lost=True)
            self._load[leg.worker.index] -= 1
            self.counters["legs_lost"] += leg.alive
            leg.alive = False
            self._tell(leg, LegFailed(leg_id, WORKER_LOST))
            leg.closed()

    def _closed(self, leg_id: int) -> None:
        leg = self._legs.pop(leg_id, None)
        if leg is not None:
            self._leave(leg_id)
            self._load[leg.worker.index] -= 1
            leg.closed()

    def _lost(self, worker: WorkerProcess, delay: float) -> None:
        """A worker died: its legs come back with its successor in ``delay`` seconds, or are given up."""
        self.counters["workers_lost"] += 1
        self._shares.lost(worker.index)
        self._silent(worker.index)
        legs = [leg for leg in self._legs.values() if leg.worker is worker]
        alive = [leg for leg in legs if leg.alive]
        back = alive if delay <= MOST_WAIT else []
        worker.resting = [leg.local_port for leg in legs if not leg.alive or not back]
        worker.kept = [leg.local_port for leg in back]
        for leg in legs:
            if not leg.alive:
                del self._legs[leg.id]
                self._leave(leg.id, lost=True)
                leg.closed()
        opening = [leg_id for leg_id, each in self._opening.items() if each.worker is worker]
        waiting = [self._opening.pop(leg_id) for leg_id in opening]
        for leg_id in opening:
            self._leave(leg_id, lost=True)
        self._load[worker.index] = len(alive)
        self._headroom.forget(worker.index)
        # the new process is started first: whoever is told may want to open legs on it
        self._reactor.callLater(0, self._tell_lost, worker, alive, waiting, bool(back))

    def _tell_lost(
        self, worker: WorkerProcess, legs: list[Leg], waiting: list[Opening], coming_back: bool
    ) -> None:
        if not coming_back:
            for leg in legs:
                self._fail(leg.id)
            for played in self._places.plays.lost(worker.index):
                self._room_played(played)
        for opening in waiting:
            if not opening.leg.called:
                self._open_again(opening)
        if self._on_worker_lost is not None:
            self._on_worker_lost(worker, legs if coming_back else [])

    def _open_again(self, opening: Opening) -> None:
        """Whoever waits for a leg need not hear that a worker died, if another can take it, or its successor."""
        worker: WorkerProcess | None = opening.worker if opening.bound else self._choose(None, opening.room)
        if opening.again or worker is None or not worker.running:
            opening.leg.errback(MediaError(WORKER_LOST))
        else:
            self.counters["openings_moved"] += 1
            self._open(replace(opening, worker=worker, again=True))

    def _restarted(self, worker: WorkerProcess) -> None:
        """Give a new process what the old one knew and carried. Sound first: prompts take their time to load."""
        if self._recording_seconds is not None:
            worker.send(control.LimitRecordings(self._recording_seconds))
        legs = [leg for leg in self._legs.values() if leg.worker is worker]
        for leg in legs:
            if not leg.alive:  # closed while there was no process
                self._closed(leg.id)
        played = self._bring_back(worker, [leg for leg in legs if leg.alive])
        for name, path in self._prompts.items():
            if name not in played:
                worker.send(control.LoadPrompt(name, path, name in self._later))

    def _bring_back(self, worker: WorkerProcess, legs: list[Leg]) -> set[str]:
        """Open legs again and make them what they were. Returns the prompts that were loaded for it."""
        for leg in legs:
            worker.send(leg.reopening())
        if legs:
            for settings in self._places.settings_on(worker.index):
                worker.send(settings)
            for recording in self._places.recordings_on(worker.index):
                worker.send(recording.again(worker.index))
            for room in self._places.rooms_on(worker.index):
                if self._shares.workers(room):
                    self._shares.spread(room, [worker.index])
        told = [command for leg in legs for command in leg.replay()]
        plays: list[control.Play | control.PlayInRoom] = [
            command for command in told if isinstance(command, control.Play)
        ]
        plays += self._places.plays_on(worker.index)
        for command in told:
            if not isinstance(command, control.Play):
                worker.send(command)
        played = {name for play in plays for name in play.items if name in self._prompts}
        for name in sorted(played):
            worker.send(control.LoadPrompt(name, self._prompts[name]))
        for play in plays:
            worker.send(play)
        return played
