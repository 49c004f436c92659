"""A media worker for a calibration: the real process behind its real control channel, its peers on loopback."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.bench.media.streams import Streams
from engine.bench.processor_time import exact_seconds
from engine.plan.kinds import Kind
from media import control
from media.settings import MediaSettings

PATIENCE = 5.0
_KEY_SIZE = 28


class CalibrationError(Exception):
    """A worker cannot be tried; the text says why."""


class ScratchWorker:
    """One worker, spoken to without a reactor. All methods may raise CalibrationError."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        root = str(Path(__file__).resolve().parents[2])
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [sys.executable, "-m", "media.worker", str(theirs.fileno())]
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment)
        theirs.close()
        self._channel = ours
        self._reader = control.FrameReader()
        self.late_ticks = self.ticks = 0
        settings = MediaSettings()
        self.send(control.Configure(settings.port_first, settings.port_last))
        self.wait_for(control.Started)

    def send(self, *commands: control.Command) -> None:
        """Say something to it."""
        try:
            self._channel.sendall(b"".join(map(control.encode_frame, commands)))
        except OSError as error:
            raise CalibrationError(str(error)) from error

    def events(self, wait: float) -> list[control.Event]:
        """What it says within ``wait`` seconds."""
        if not select.select([self._channel], [], [], wait)[0]:
            return []
        data = self._channel.recv(1 << 20)
        if not data:
            raise CalibrationError(f"status {self._process.wait()}")
        events = [control.decode_event(frame) for frame in self._reader.receive(data)]
        for event in events:
            if isinstance(event, control.WorkerStatistics):
                self.ticks, self.late_ticks = event.ticks, event.late_ticks
        return events

    def wait_for(self, kind: type[control.Event]) -> None:
        """Wait until it has said something of a kind."""
        until = time.monotonic() + PATIENCE
        while not any(isinstance(event, kind) for event in self.events(0.1)):
            if time.monotonic() > until:
                raise CalibrationError(f"no {kind.__name__}")

    def open(self, kind: Kind, streams: Streams) -> bool:
        """Open the legs of a kind, each with a stream. False: this machine cannot speak its codec."""
        for leg in range(kind.legs):
            self.send(control.OpenLeg(leg, _spec(kind, leg, streams)))
        ports: dict[int, int] = {}
        until = time.monotonic() + PATIENCE
        while len(ports) < kind.legs:
            for event in self.events(0.1):
                match event:
                    case control.LegOpened(leg=leg, local_port=port):
                        ports[leg] = port
                    case control.LegRefused(reason=reason):
                        raise CalibrationError(reason)
                    case control.LegFailed():
                        return False
            if time.monotonic() > until:
                raise CalibrationError("no LegOpened")
        for leg, port in ports.items():
            silence = None if kind.listen_only else 0
            sound = 1 + leg % streams.sounds.tones if kind.talks(leg) else silence
            streams.open(leg, ("127.0.0.1", port), sound)
        return True

    def close_legs(self, kind: Kind) -> None:
        """Close the legs of a kind, recordings and all."""
        self.send(*[control.CloseLeg(leg) for leg in range(kind.legs)])
        left, until = kind.legs, time.monotonic() + PATIENCE
        while left and time.monotonic() < until:
            left -= sum(isinstance(event, control.LegClosed) for event in self.events(0.1))

    def seconds(self) -> float:
        """Processor time it has used."""
        return exact_seconds(self._process.pid)

    def close(self) -> None:
        """End it."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
            return
        self._process.kill()
        self._process.wait()


def _spec(kind: Kind, leg: int, streams: Streams) -> control.LegSpec:
    return control.LegSpec(
        local_host="127.0.0.1",
        codec="OPUS" if kind.codec == "opus" else "PCMU",
        rate=48000 if kind.codec == "opus" else 8000,
        clock_rate=48000 if kind.codec == "opus" else 8000,
        payload_type=streams.sounds.payload_type,
        remote_host=streams.source(leg),
        remote_port=streams.port,
        symmetric=kind.shared_port,
        srtp=_srtp(leg, streams) if kind.srtp else None,
    )


def _srtp(leg: int, streams: Streams) -> control.SrtpTerms:
    """Keys for both directions, known to both ends without signalling."""
    ours = secrets.token_bytes(_KEY_SIZE)
    streams.secrecy(leg).use(ours)
    return control.SrtpTerms("AEAD_AES_128_GCM", ours, streams.secrecy(leg).key)


@contextmanager
def scratch_worker() -> Iterator[ScratchWorker]:
    """A worker as long as it is needed."""
    worker = ScratchWorker()
    try:
        yield worker
    finally:
        worker.close()
