"""What a worker does with the engine's commands, and what it tells the engine in return.

Here leg ids of the engine meet slots of the plane. The loop in ``worker`` owns time and the channel.
"""

from __future__ import annotations

import base64
import errno
import heapq
import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from random import SystemRandom

from media import control
from media.codecs.coding import Terms
from media.hook_loading import load_plugin
from media.hooks import HookedLeg
from media.leg_recordings import LegRecordings
from media.leg_sockets import LegSockets, NoPort
from media.leg_statistics import LegObserver, Observation
from media.legs import Digit, DigitsOut, Negotiated, PlayEnded, RoomPlayEnded
from media.plane import Plane
from media.playing import Playing
from media.ports import PortPool
from media.reports import LegReports, Sent
from media.rooms import RoomSettings
from media.rtcp import RtcpError
from media.shared_rooms import SharedRooms
from media.source import SourceLatch

WATCH_SECONDS = 5.0
TICK_MS = 20

_random = SystemRandom()


@dataclass(slots=True)
class _Leg:
    id: int
    slot: int
    spec: control.LegSpec
    reports: LegReports
    label: str = ""
    watched: bool = False
    strangers: int = 0
    seen: Observation = field(default_factory=Observation)


class Dispatch:
    """The legs of one worker. ``emit`` takes each event for the engine."""

    def __init__(self, emit: Callable[[control.Event], None]) -> None:
        self._emit = emit
        self._plane = Plane(_random.getrandbits, clock=time.perf_counter)
        self._sockets = LegSockets(self._plane, PortPool(0, 0, _random.randrange))
        self._recordings = LegRecordings(self._plane, emit, self._label)
        self._observer = LegObserver(self._plane)
        self._playing = Playing(self._plane, emit)
        self._shared_rooms = SharedRooms(self._plane.mixer.cascade, emit)
        self._legs: dict[int, _Leg] = {}
        self._by_slot: dict[int, _Leg] = {}
        self._due: list[tuple[float, int]] = []  # RTCP reports by time and leg id
        self._watch_at = 0.0
        self._counters: Counter[str] = Counter()
        self.stopping = False
        self.orphan_seconds = 0.0
        self._ports: tuple[int, int] | None = None

    @property
    def legs(self) -> int:
        """How many legs are open."""
        return len(self._legs)

    @property
    def ports(self) -> int:
        """Pairs of ports that legs have."""
        return self._sockets.ports

    @property
    def counters(self) -> dict[str, int]:
        """Everything that was dropped or went wrong, by label."""
        return dict(
            self._counters
            + self._sockets.counters
            + self._recordings.counters
            + self._plane.hooks.counters
            + self._playing.counters
            + self._shared_rooms.counters
        )

    # Commands.

    def handle(self, command: control.Command, now: float) -> None:
        """Carry out one command."""
        match command:
            case control.Configure():
                self._configure(command, now)
            case control.LimitRecordings(seconds=seconds):
                self._recordings.limit(seconds)
            case control.OpenLeg():
                self._open(command, now)
            case control.KeepLegs(legs=legs):
                self._keep(legs, now)
            case control.SetRoom():
                self._set_room(command)
            case control.RecordRoom() | control.PauseRoomRecording() | control.StopRoomRecording():
                self._recordings.handle_room(command)
            case control.PlayInRoom() | control.StopPlayingInRoom():
                self._playing.handle_room(command)
            case control.ForgetPrompt() | control.LoadPrompt():
                self._playing.handle_prompt(command)
            case control.ShareRoom() | control.HearRoom() | control.UnshareRoom():
                self._shared_rooms.handle(command)
            case control.Shutdown():
                self.stop(now)
            case _:
                leg_found = self._legs.get(command.leg)
                if leg_found is not None:
                    self._handle_for(leg_found, command, now)

    def _handle_for(self, leg: _Leg, command: control.Command, now: float) -> None:
        """Carry out a command for a leg that is open."""
        plane, slot = self._plane, leg.slot
        match command:
            case control.ModifyLeg() | control.LockSource():
                self._redirect(leg, command, now)
            case control.CloseLeg():
                self._close(leg, now)
            case control.Play() | control.PausePlaying() | control.SeekPlaying() | control.StopPlaying():
                self._playing.handle(slot, command)
            case control.Echo(on=on):
                plane.echo(slot, on=on)
            case (
                control.Record()
                | control.PauseRecording()
                | control.ResumeRecording()
                | control.StopRecording()
            ):
                self._recordings.handle(slot, command)
            case control.Bridge(other=other):
                self._bridge(leg, other)
            case control.JoinRoom(room=room, label=label):
                leg.label = label
                plane.join(slot, room)
            case control.LeaveRoom():
                plane.leave(slot)
            case control.SetParticipant():
                self._set_participant(leg, command)
            case control.SendDigits(digits=digits):
                plane.send_digits(slot, digits)
            case control.WatchLeg(on=on):
                leg.watched = on

    def _redirect(self, leg: _Leg, command: control.ModifyLeg | control.LockSource, now: float) -> None:
        """Serve another peer, or the same one otherwise."""
        if isinstance(command, control.ModifyLeg):
            self._modify(leg, command.spec, now)
        else:
            self._lock(leg, command.host, command.port, learned=False)

    def _configure(self, command: control.Configure, now: float) -> None:
        ports = PortPool(
            command.port_first, command.port_last, _random.randrange, command.resting, now, command.kept
        )
        self._sockets = LegSockets(self._plane, ports)
        self._plane.hooks.budget = command.plugin_budget_ms / 1000
        for name in command.plugins:
            plugin = load_plugin(name)
            if plugin is None:
                self._counters["plugins_failed"] += 1
            else:
                self._plane.hooks.add(name, plugin)
        self._ports, self.orphan_seconds = (command.port_first, command.port_last), command.orphan_seconds

    def greeting(self, pid: int) -> control.Started:
        """What an engine is told first."""
        shared = self._shared_rooms.names
        prompts = self._playing.prompts
        return control.Started(pid, ports=self._ports, legs=list(self._legs), prompts=prompts, shared=shared)

    def _keep(self, legs: list[int], now: float) -> None:
        """Close what an engine that died had begun and the next one knows nothing of."""
        kept = set(legs)
        for leg in [each for each in self._legs.values() if each.id not in kept]:
            self._counters["legs_unknown"] += 1
            self._close(leg, now)

    def _open(self, command: control.OpenLeg, now: float) -> None:
        leg_id, spec = command.leg, command.spec
        slot = self._plane.open(command.stream)
        try:
            source = _address(spec) if spec.symmetric and not spec.nat else None
            port = self._sockets.open(slot, spec.local_host, now, command.port, source)
        except NoPort as error:
            self._plane.close(slot)
            self._counters[f"leg_refused_{error.reason}"] += 1
            self._emit(control.LegRefused(leg_id, error.reason))
            return
        cname = base64.b64encode(_random.randbytes(12)).decode()  # RFC 7022 section 4.2
        ssrc = int(self._plane.transmission.ssrc[slot])
        leg = _Leg(
            leg_id,
            slot,
            control.LegSpec(local_host=spec.local_host),
            LegReports(ssrc, cname, _random.random, now),
        )
        self._legs[leg_id] = self._by_slot[slot] = leg
        heapq.heappush(self._due, (leg.reports.deadline, leg_id))
        self._modify(leg, spec, now)
        self._emit(control.LegOpened(leg_id, port))

    def _modify(self, leg: _Leg, spec: control.LegSpec, now: float) -> None:
        """Take up an offer/answer. A repeated one changes nothing: a learned source stays learned."""
        if spec == leg.spec:
            return
        moved = spec.route != leg.spec.route
        leg.spec = spec
        self._sockets.secure(leg.slot, spec.srtp, now)
        served = not moved or self._aim(leg, now)
        if spec.codec is None:
            return
        reachable = served and _address(spec) is not None
        terms = Negotiated(
            law=1 if spec.codec == "PCMA" else 0,
            payload_type=spec.payload_type,
            event_type=spec.event_type,
            send=spec.send and reachable,
            receive=spec.receive,
            mux=spec.rtcp_mux,
            send_payload_type=spec.send_payload_type,
            send_event_type=spec.send_event_type,
            terms=_terms(spec),
            inband=spec.inband_digits,
            hush=spec.hush_digits,
            event_clock=spec.event_rate,
            level_id=spec.level_id,
        )
        self._plane.negotiate(leg.slot, terms)
        self._plane.hooks.offer(leg.slot, HookedLeg(leg.id, spec.codec, spec.remote_host))

    def _aim(self, leg: _Leg, now: float) -> bool:
        """Point the sockets at the address the spec names; False when there is no way to it."""
        spec, sockets = leg.spec, self._sockets
        address = _address(spec)
        if address is None or spec.codec is None:
            sockets.deafen(leg.slot)
            return True
        try:
            if spec.nat:
                types = {spec.payload_type} | ({spec.event_type} if spec.event_type is not None else set())
                latch = SourceLatch(address, spec.signalling_host or address[0], types, now)
                sockets.learn(leg.slot, latch, address)
            else:
                sockets.connect(leg.slot, *address, spec.remote_rtcp_port)
        except OSError as error:
            sockets.deafen(leg.slot)
            self._counters["no_route"] += 1
            self._emit(control.LegFailed(leg.id, errno.errorcode.get(error.errno or 0, "no_route").lower()))
            return False
        return True

    def _bridge(self, leg: _Leg, other: int | None) -> None:
        if other is None:
            self._plane.bridge(leg.slot, None)
            return
        peer = self._legs.get(other)
        if peer is None or peer is leg:
            self._emit(control.LegFailed(leg.id, "bridge_without_peer"))
            return
        self._plane.bridge(leg.slot, peer.slot)

    def _set_participant(self, leg: _Leg, command: control.SetParticipant) -> None:
        done = self._plane.set_participant(
            leg.slot,
            muted=command.muted,
            gain_db=command.gain_db,
            volume_db=command.volume_db,
            agc=command.agc,
            gate=command.gate,
            denoise=command.denoise,
        )
        if not done:
            self._counters["no_noise_removal"] += 1
            self._emit(control.LegFailed(leg.id, "no_noise_removal"))

    def _label(self, slot: int) -> str:
        """How a leg is called in the tracks of its room."""
        leg = self._by_slot[slot]
        return leg.label or str(leg.id)

    def _set_room(self, command: control.SetRoom) -> None:
        settings = RoomSettings(
            loudest=command.loudest, max_rate_hz=command.max_rate_hz, levels=command.levels
        )
        self._plane.set_room(command.room, settings)

    def _close(self, leg: _Leg, now: float) -> None:
        written = self._recordings.close(leg.id, leg.slot)
        self._send_report(leg, now, last=True)
        final = self._statistics(leg, final=True)  # before the slot forgets what it counted
        self._plane.close(leg.slot)
        self._tell_outputs()
        self._emit(final)
        self._sockets.close(leg.slot, now)
        del self._legs[leg.id], self._by_slot[leg.slot]
        if written:
            self._emit(control.LegClosed(leg.id))

    def stop(self, now: float) -> None:
        """Close every leg, wait for the recordings to be whole, and say so."""
        for leg in list(self._legs.values()):
            self._close(leg, now)
        self._recordings.finish()
        self._playing.stop()
        self._emit(control.Stopped())
        self.stopping = True

    # The tick.

    def tick(self, now: float, *, punctual: bool = True, number: int | None = None) -> None:
        """Receive, make and send 20 ms of every leg, and tell the engine what happened.

        punctual: False when this tick is late, so that its packets may have come long before it. number: of the tick,
        the same on every worker.
        """
        self._plane.set_punctual(punctual)
        if self._legs:
            self._tick_legs(now, number)
        else:
            self._due.clear()  # reports of legs that are gone
            self._recordings.rest()
            self._tell_outputs()
        self._recordings.take()
        self._playing.take()
        if now >= self._watch_at:
            self._watch(now)

    def _tick_legs(self, now: float, number: int | None) -> None:
        sockets, plane = self._sockets, self._plane
        sockets.receive(now)
        for slot, (host, port) in sockets.receive_unlearned(now):
            self._lock(self._by_slot[slot], host, port)
        self._close_windows(now)
        plane.tick(now, number)
        sockets.send()
        self._recordings.gather()
        self._tell_outputs()
        self._tell_talkers()
        for slot, data, arrival in sockets.receive_rtcp(time.time_ns):
            self._read_rtcp(slot, data, arrival)
        for slot, data in plane.take_control():
            self._read_rtcp(slot, data, time.time_ns())
        while self._due and self._due[0][0] <= now:
            self._report(heapq.heappop(self._due)[1], now)

    def skip(self, ticks: int) -> None:
        """Let ticks pass that came too late to be made."""
        self._plane.skip(ticks)
        self._recordings.skip(ticks)

    def _close_windows(self, now: float) -> None:
        """Where nothing was learned within the window, serve the signalled address and no other (F1)."""
        for slot in self._sockets.expired(now):
            leg = self._by_slot[slot]
            address = _address(leg.spec)
            if address is not None:
                self._counters["source_not_learned"] += 1
                self._lock(leg, *address, learned=False)

    def _lock(self, leg: _Leg, host: str, port: int, *, learned: bool = True) -> None:
        """Tie a leg to its source until the next offer/answer."""
        leg.strangers += self._sockets.strangers(leg.slot)
        rtcp_port = leg.spec.remote_rtcp_port if host == leg.spec.remote_host else None
        try:
            self._sockets.connect(leg.slot, host, port, rtcp_port)
        except OSError:
            self._sockets.deafen(leg.slot)
            self._counters["no_route"] += 1
            self._emit(control.LegFailed(leg.id, "no_route"))
            return
        if learned:
            self._emit(control.SourceLearned(leg.id, host, port))

    def _tell_outputs(self) -> None:
        for output in self._plane.take_outputs():
            if isinstance(output, RoomPlayEnded):
                self._emit(control.RoomPlayFinished(output.room, output.tag, output.interrupted))
                continue
            leg = self._by_slot[output.slot].id
            match output:
                case PlayEnded(tag=tag, interrupted=interrupted, cause=cause, position=position):
                    self._emit(control.PlayFinished(leg, tag, interrupted, cause, TICK_MS * position))
                case Digit(digit=digit, duration_ms=duration_ms):
                    self._emit(control.DigitReceived(leg, digit, duration_ms))
                case DigitsOut(ok=ok):
                    self._emit(control.DigitsSent(leg, ok))

    def _tell_talkers(self) -> None:
        for told in self._plane.mixer.take_talkers():
            talkers = [(self._by_slot[slot].id, level) for slot, level in told.talkers]
            self._emit(control.Talkers(told.room, talkers))

    # RTCP and statistics.

    def _read_rtcp(self, slot: int, data: bytes, arrival: int) -> None:
        leg = self._by_slot.get(slot)
        if leg is None:
            return
        try:
            leg.reports.receive(data, arrival)
            self._plane.coded.outbound.report_loss(slot, round(100 * leg.reports.remote_fraction_lost))
        except RtcpError as error:
            self._counters[f"rtcp_{error.reason}"] += 1

    def _report(self, leg_id: int, now: float) -> None:
        leg = self._legs.get(leg_id)
        if leg is not None:
            self._send_report(leg, now)
            heapq.heappush(self._due, (leg.reports.deadline, leg_id))

    def _send_report(self, leg: _Leg, now: float, *, last: bool = False) -> None:
        transmission, slot = self._plane.transmission, leg.slot
        sent = Sent(
            int(transmission.sent[slot]), int(transmission.octets[slot]), transmission.timestamp(slot)
        )
        heard = self._plane.reception.take_report(slot)
        wall = time.time_ns()
        reports = leg.reports
        metrics = self._observer.observe(slot, leg.spec, leg.seen, heard, reports)
        data = reports.goodbye(sent, heard, wall) if last else reports.report(sent, heard, wall, now, metrics)
        self._sockets.send_rtcp(slot, data, muxed=leg.spec.rtcp_mux)

    def _watch(self, now: float) -> None:
        self._watch_at = now + WATCH_SECONDS
        for leg in self._legs.values():
            if leg.watched:
                self._emit(self._statistics(leg, final=False))

    def _statistics(self, leg: _Leg, *, final: bool) -> control.LegStatistics:
        return self._observer.totals(
            leg.id, leg.slot, leg.seen, leg.reports, self._sockets, strangers=leg.strangers, final=final
        )


def _terms(spec: control.LegSpec) -> Terms | None:
    """How a leg speaks whose codec is not G.711."""
    if spec.codec is None or spec.codec in ("PCMU", "PCMA"):
        return None
    return Terms(spec.codec, spec.rate, spec.clock_rate, spec.bitrate, spec.dtx, spec.fec)


def _address(spec: control.LegSpec) -> tuple[str, int] | None:
    """The signalled media address, None when there is none to send to (port 0, 0.0.0.0, a name)."""
    if spec.remote_host is None or not spec.remote_port:
        return None
    host = _host(spec.remote_host)
    return None if host is None else (host, spec.remote_port)


@lru_cache(4096)
def _host(name: str) -> str | None:
    """An address that can be sent to. Remembered: the same few peers call again and again."""
    try:
        host = ipaddress.ip_address(name)
    except ValueError:
        return None
    return None if host.is_unspecified or host.is_multicast else str(host)
