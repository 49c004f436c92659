"""A worker process through its control channel: real sockets on loopback, real time, one process a test."""

from __future__ import annotations

import itertools
import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from media import control
from media.codecs.g711 import Pcm, ulaw_decode, ulaw_encode
from media.rtcp import Goodbye, ReceiverReport, ReportBlock, SenderReport, parse_compound
from media.rtp import FRAME
from media.wav import WavRecorder
from tests.media.worker_process import Phone, WorkerProcess, pace
from tests.port_share import port_share

RATE = 8000


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    process = WorkerProcess()
    yield process
    if process.process.poll() is None:
        process.close()


@pytest.fixture
def phone() -> Iterator[Phone]:
    made = Phone()
    yield made
    made.close()


def tone(frequency: float, samples: int, level: float = 6000.0) -> Pcm:
    wave: Pcm = (level * np.sin(np.arange(samples) * 2 * math.pi * frequency / RATE)).astype(np.int16)
    return wave


def frames(wave: Pcm) -> list[bytes]:
    coded = ulaw_encode(wave).tobytes()
    return [coded[at : at + FRAME] for at in range(0, len(coded), FRAME)]


def loudest(octets: bytes) -> tuple[float, float]:
    """Frequency of the strongest component in Hz, and RMS, of the middle half of what was heard."""
    pcm = ulaw_decode(np.frombuffer(octets, np.uint8)).astype(float)
    pcm = pcm[len(pcm) // 4 : 3 * len(pcm) // 4]
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(spectrum.argmax() * RATE / len(pcm)), float(np.sqrt((pcm**2).mean()))


def test_a_tone_comes_back_from_echo(worker: WorkerProcess, phone: Phone) -> None:
    """Same frequency, same level; and the statistics at the end say what went by."""
    port = worker.open(1, phone.spec())
    assert port % 2 == 0
    worker.send(control.Echo(1, on=True))
    said = frames(tone(700, 60 * FRAME))
    pace(60, lambda i: phone.say(said[i], port))
    frequency, level = loudest(phone.sound())
    assert abs(frequency - 700) < 10
    assert abs(20 * math.log10(level / (6000 / math.sqrt(2)))) < 0.5
    time.sleep(0.05)
    worker.send(control.CloseLeg(1))
    final = worker.wait_for(control.LegStatistics)
    assert (final.packets_received, final.octets_received, final.lost, final.final) == (
        60,
        60 * FRAME,
        0,
        True,
    )
    assert final.packets_sent >= 60
    assert worker.wait_for(control.LegClosed).leg == 1


def test_a_prompt_is_heard_whole(worker: WorkerProcess, phone: Phone, tmp_path: Path) -> None:
    """Loaded from its file and played at once: every sample is heard, then PlayFinished."""
    wave = tone(440, 25 * FRAME)
    recorder = WavRecorder(tmp_path / "p.wav", RATE, 1)
    recorder.append(wave)
    recorder.close()
    worker.send(control.LoadPrompt("p", str(tmp_path / "p.wav")), control.LoadPrompt("q", "/does/not/exist"))
    worker.open(1, phone.spec())
    worker.send(control.Play(1, ["nothing", "p"], tag=5))
    assert worker.wait_for(control.LegFailed).reason == "unknown_prompt nothing"
    assert worker.wait_for(control.PlayFinished) == control.PlayFinished(1, 5, interrupted=False)
    assert worker.wait_for(control.PromptLoaded) == control.PromptLoaded("p", 25)
    assert worker.wait_for(control.PromptRefused).name == "q"
    time.sleep(0.02)
    assert phone.sound() == ulaw_encode(wave).tobytes()


def test_a_recording_holds_what_was_said(worker: WorkerProcess, phone: Phone, tmp_path: Path) -> None:
    """And is closed properly when the engine asks the worker to end."""
    path = tmp_path / "r.wav"
    port = worker.open(1, phone.spec())
    worker.send(control.Record(1, str(path)))
    said = frames(tone(500, 50 * FRAME))
    pace(50, lambda i: phone.say(said[i], port))
    worker.send(control.Shutdown())
    closed = worker.wait_for(control.RecordingClosed)
    assert (closed.path, closed.reason) == (str(path), None)
    worker.wait_for(control.LegClosed)
    worker.wait_for(control.Stopped)
    assert worker.process.wait(5) == 0
    data = path.read_bytes()[44:]
    assert len(data) == 2 * closed.samples
    frequency, level = loudest(ulaw_encode(np.frombuffer(data, np.int16)).tobytes())
    assert abs(frequency - 500) < 20
    assert abs(20 * math.log10(level / (6000 / math.sqrt(2)))) < 0.5


def test_a_recording_that_cannot_be_made(worker: WorkerProcess, phone: Phone) -> None:
    """Costs the recording, not the call."""
    worker.open(1, phone.spec())
    worker.send(control.Echo(1, on=True), control.Record(1, "/does/not/exist/r.wav"))
    closed = worker.wait_for(control.RecordingClosed)
    assert closed.reason is not None
    phone.heard.clear()
    time.sleep(0.1)
    assert phone.sound()


def test_digits_and_bridge(worker: WorkerProcess) -> None:
    """Two legs hear each other; digits sent on one are received on the other."""
    one, two = Phone(), Phone()
    ports = {1: worker.open(1, one.spec()), 2: worker.open(2, two.spec())}
    worker.send(control.Bridge(1, 2), control.Bridge(1, 9))
    assert worker.wait_for(control.LegFailed).reason == "bridge_without_peer"

    def talk(number: int) -> None:
        one.say(b"\x11" * FRAME, ports[1])
        two.say(b"\x22" * FRAME, ports[2])

    pace(15, talk)
    assert {b"\x22", b"\xff"} == {one.sound()[i : i + 1] for i in range(len(one.sound()))}
    assert b"\x11" in two.sound()
    worker.send(control.SendDigits(1, "4"))
    worker.wait_for(control.DigitsSent)
    one.listen()
    for packet in [packet for packet in one.heard if packet.payload_type == 101]:
        two.say(packet.payload, ports[2], payload_type=101)
        two.timestamp -= len(packet.payload)
    assert worker.wait_for(control.DigitReceived).digit == "4"
    one.close()
    two.close()


def test_strangers_are_not_heard(worker: WorkerProcess, phone: Phone) -> None:
    """F1: before, between and after the honest packets, from another host and another port: nothing of
    theirs comes out, nothing goes to them, and the honest sound is whole."""
    port = worker.open(1, phone.spec())
    strangers = [Phone("127.0.0.2"), Phone("127.0.0.1")]
    worker.send(control.Echo(1, on=True))

    def intrude(number: int) -> None:
        for stranger in strangers:
            stranger.say(b"\x55" * FRAME, port)
        if 10 <= number < 60:
            phone.say(b"\x11" * FRAME, port)

    pace(70, intrude)
    sound = phone.sound()
    assert 0x55 not in sound
    assert sound.count(b"\x11") >= 0.9 * 50 * FRAME
    for stranger in strangers:
        assert stranger.sound() == b""
        stranger.close()
    time.sleep(0.05)
    worker.send(control.CloseLeg(1))
    assert worker.wait_for(control.LegStatistics).packets_received == 50


def test_a_source_is_learned_once(worker: WorkerProcess, phone: Phone) -> None:
    """F1 behind a NAT: five good packets lock; afterwards the first address is a stranger too, until the
    next offer/answer."""
    signalled, stranger = Phone("127.0.0.3"), Phone("127.0.0.2")
    spec = signalled.spec(nat=True, signalling_host="127.0.0.1")
    port = worker.open(1, spec)
    worker.send(control.Echo(1, on=True))

    def talk(number: int) -> None:
        stranger.say(b"\x55" * FRAME, port)
        phone.say(b"\x11" * FRAME, port)
        if number >= 10:
            signalled.say(b"\x33" * FRAME, port)

    pace(40, talk)
    learned = worker.wait_for(control.SourceLearned)
    assert (learned.host, learned.port) == ("127.0.0.1", phone.port)
    sound = phone.sound()
    assert 0x11 in sound
    assert not {0x55, 0x33} & set(sound)
    assert stranger.sound() == b""
    worker.send(control.ModifyLeg(1, spec))  # the same again: still locked
    pace(5, lambda _: signalled.say(b"\x33" * FRAME, port))
    worker.send(control.ModifyLeg(1, signalled.spec(nat=False)))
    signalled.listen()
    signalled.heard.clear()
    pace(15, lambda _: signalled.say(b"\x33" * FRAME, port))
    assert 0x33 in signalled.sound()
    worker.send(control.CloseLeg(1))
    assert worker.wait_for(control.LegStatistics).strangers > 0
    signalled.close()
    stranger.close()


@pytest.mark.slow
def test_a_window_closes_on_the_signalled_address(worker: WorkerProcess, phone: Phone) -> None:
    """F1: nothing learned in five seconds; then the signalled address is served, and it alone is heard."""
    port = worker.open(1, phone.spec(nat=True))
    worker.send(control.Echo(1, on=True))
    time.sleep(5.2)
    stranger = Phone()
    phone.listen()
    phone.heard.clear()

    def talk(_: int) -> None:
        stranger.say(b"\x55" * FRAME, port)
        phone.say(b"\x11" * FRAME, port)

    pace(15, talk)
    assert 0x11 in phone.sound()
    assert 0x55 not in phone.sound()
    assert stranger.sound() == b""
    stranger.close()


def test_late_offer_and_hold(worker: WorkerProcess, phone: Phone) -> None:
    """A leg without an answer is deaf and mute; what came before the answer is not heard after it; an
    address nobody can be reached at is told."""
    port = worker.open(1, control.LegSpec(local_host="127.0.0.1"))
    worker.send(control.Echo(1, on=True))
    pace(5, lambda _: phone.say(b"\x55" * FRAME, port))
    assert phone.sound() == b""
    worker.send(control.ModifyLeg(1, phone.spec()))
    pace(15, lambda _: phone.say(b"\x11" * FRAME, port))
    assert {0x11, 0xFF} == set(phone.sound())
    worker.send(control.ModifyLeg(1, phone.spec(remote_host="0.0.0.0")))
    time.sleep(0.05)
    phone.listen()
    phone.heard.clear()
    time.sleep(0.1)
    assert phone.sound() == b""
    worker.send(control.ModifyLeg(1, phone.spec(remote_host="::1")))
    assert worker.wait_for(control.LegFailed).leg == 1
    worker.send(control.ModifyLeg(1, phone.spec()))
    time.sleep(0.1)
    assert phone.sound()


@pytest.mark.slow
def test_reports_are_exchanged(worker: WorkerProcess, phone: Phone) -> None:
    """RTCP: what we hear of the peer's loss and the round trip; our own report; a stranger's changes
    nothing (F2); BYE at the end."""
    port = worker.open(1, phone.spec())
    worker.send(control.Echo(1, on=True))
    pace(20, lambda _: phone.say(b"\x11" * FRAME, port))
    report = phone.rtcp.recv(2048)
    first = parse_compound(report)[0]
    assert isinstance(first, SenderReport)
    phone.listen()
    assert first.ssrc == phone.heard[0].ssrc
    (block,) = first.blocks
    assert (block.ssrc, block.cumulative_lost) == (77, 0)
    last_report = (first.ntp >> 16) & 0xFFFFFFFF
    answer = ReceiverReport(77, (ReportBlock(first.ssrc, 10, 3, 0, 0, last_report, 0),))
    stranger = Phone("127.0.0.2")
    lie = ReceiverReport(77, (ReportBlock(first.ssrc, 255, 1000, 0, 0, 0, 0),))
    phone.rtcp.sendto(answer.serialise(), ("127.0.0.1", port + 1))
    phone.rtcp.sendto(b"junk", ("127.0.0.1", port + 1))
    stranger.rtcp.sendto(lie.serialise() + Goodbye((first.ssrc,)).serialise(), ("127.0.0.1", port + 1))
    time.sleep(0.1)
    worker.send(control.CloseLeg(1))
    final = worker.wait_for(control.LegStatistics)
    assert final.remote_lost == 3
    assert final.round_trip_ms is not None
    assert 0 <= final.round_trip_ms < 1000
    packets = parse_compound(phone.rtcp.recv(2048))
    assert packets[-1] == Goodbye((first.ssrc,))
    stranger.close()


def test_reports_on_the_rtp_port(worker: WorkerProcess, phone: Phone) -> None:
    """RFC 5761: both ways when negotiated."""
    port = worker.open(1, phone.spec(rtcp_mux=True))
    ours = ReceiverReport(77, (ReportBlock(1, 0, 0, 0, 0, 0, 0),)).serialise()
    phone.rtp.sendto(ours, ("127.0.0.1", port))
    time.sleep(0.1)
    worker.send(control.CloseLeg(1))
    assert worker.wait_for(control.LegStatistics).malformed == 0
    worker.wait_for(control.LegClosed)
    assert any(isinstance(packet, Goodbye) for packet in parse_compound(phone.rtp.recv(2048)))


def test_ports_run_out_and_come_back(phone: Phone) -> None:
    """A leg without a port is refused; a freed one rests."""
    worker = WorkerProcess(port_share().engines[:2])
    worker.open(1, phone.spec())
    worker.send(control.OpenLeg(2, phone.spec()), control.CloseLeg(1), control.OpenLeg(3, phone.spec()))
    assert worker.wait_for(control.LegRefused) == control.LegRefused(2, "ports_exhausted")
    assert worker.wait_for(control.LegRefused) == control.LegRefused(3, "ports_exhausted")
    worker.close()


def test_an_address_that_is_not_ours(worker: WorkerProcess, phone: Phone) -> None:
    """A leg on another host's address is refused with the reason."""
    worker.send(control.OpenLeg(1, phone.spec(local_host="192.0.2.1")))
    assert worker.wait_for(control.LegRefused).reason == "eaddrnotavail"


def test_a_peer_whose_port_is_shut(worker: WorkerProcess) -> None:
    """ICMP errors cost nothing but their packets: the others' audio goes on."""
    gone, phone = Phone(), Phone()
    worker.open(1, gone.spec())
    worker.open(2, phone.spec())
    gone.close()
    worker.send(control.Echo(1, on=True), control.Echo(2, on=True))
    time.sleep(1.0)
    phone.listen()
    sequences = [packet.sequence for packet in phone.heard]
    assert len(sequences) > 40
    assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(sequences))
    phone.close()


def test_it_ends_with_its_channel(worker: WorkerProcess, phone: Phone, tmp_path: Path) -> None:
    """The engine is gone: recordings are closed, then the worker goes too, quietly."""
    path = tmp_path / "r.wav"
    port = worker.open(1, phone.spec())
    worker.send(control.Record(1, str(path)))
    pace(10, lambda _: phone.say(b"\x11" * FRAME, port))
    assert worker.close() == 0
    data = path.read_bytes()
    assert int.from_bytes(data[40:44], "little") == len(data) - 44 > 0


def test_signals_for_the_engine_do_not_end_it(worker: WorkerProcess, phone: Phone) -> None:
    """^C and SIGTERM reach the whole process group; when to end is the engine's to say."""
    worker.wait_for(control.Started)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(worker.process.pid, number)
    assert worker.open(1, phone.spec())


@pytest.mark.slow
def test_a_stalled_worker_catches_up(worker: WorkerProcess, phone: Phone) -> None:
    """Stopped for half a second: the ticks it missed are counted, the echo is not late for ever, and the
    sequence numbers have no hole."""
    port = worker.open(1, phone.spec())
    worker.send(control.Echo(1, on=True))

    def talk(number: int) -> None:
        if number == 20:
            os.kill(worker.process.pid, signal.SIGSTOP)
        if number == 45:
            os.kill(worker.process.pid, signal.SIGCONT)
        phone.say(bytes([number + 1]) * FRAME, port)
        phone.listen()

    pace(70, talk)
    last = max(set(phone.heard[-1].payload) - {0xFF})
    assert 70 - last <= 8  # ticks from mouth to ear and back: 160 ms at most
    sequences = [packet.sequence for packet in phone.heard]
    assert all((b - a) & 0xFFFF == 1 for a, b in itertools.pairwise(sequences))
    statistics = worker.wait_for(control.WorkerStatistics)
    assert statistics.skipped_ticks >= 20
    assert statistics.late_ticks >= 1


def test_a_plugin_by_its_name(worker: WorkerProcess, phone: Phone) -> None:
    """The worker loads it and gives it the legs; one that is not there is counted, and costs nothing else."""
    plugins = ["tests.media.muting_plugin:Mute", "no_such_module:Plugin"]
    worker.send(control.Configure(*port_share().span, plugins=plugins))
    port = worker.open(1, phone.spec())
    worker.send(control.Echo(1, on=True))
    pace(20, lambda _: phone.say(b"\x11" * FRAME, port))
    sound = phone.sound()
    assert len(sound) > 5 * FRAME
    assert set(sound) == {0xFF}
    assert worker.wait_for(control.WorkerStatistics).counters["plugins_failed"] == 1


def test_a_tone_is_computed_when_it_is_played(worker: WorkerProcess, phone: Phone) -> None:
    """Nobody loads ``tone/beep``, and it is heard; one that there is not is refused."""
    worker.open(1, phone.spec())
    worker.send(control.Play(1, ["tone/beep"], tag=3))
    assert worker.wait_for(control.PlayFinished) == control.PlayFinished(1, 3, False)
    _, level = loudest(phone.sound())
    assert level > 500
    worker.send(control.Play(1, ["tone/nonsense"]))
    assert worker.wait_for(control.LegFailed).reason == "unknown_prompt tone/nonsense"
