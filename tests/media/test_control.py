"""The control channel's messages and framing."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import control
from media.control import ControlError, FrameReader, LegSpec, decode_command, decode_event, encode_frame
from media.control.version import version_of

COMMANDS: list[control.Command] = [
    control.Configure(40000, 40099, [40002]),
    control.OpenLeg(1, LegSpec(local_host="::1", codec="PCMA", remote_host="::2", remote_port=9, nat=True)),
    control.OpenLeg(1, LegSpec(local_host="::1"), 40000, control.Stream(1, 2, 3)),
    control.LockSource(1, "192.0.2.1", 4000),
    control.ModifyLeg(1, LegSpec(local_host="127.0.0.1")),
    control.CloseLeg(1),
    control.Play(1, ["a", "é"], loop=True, tag=3),
    control.StopPlaying(1),
    control.Echo(1, on=True),
    control.Record(1, "/x.wav"),
    control.Record(1, "/x.wav", "both", coded=True, continues_from=1.5, paused="cut"),
    control.PauseRecording(1),
    control.ResumeRecording(1),
    control.StopRecording(1),
    control.Bridge(1, 2),
    control.Bridge(1, None),
    control.JoinRoom(1, "8000", "0612"),
    control.RecordRoom("8000", "/x.json", "tracks", 1.5, "cut"),
    control.PauseRoomRecording("8000", None),
    control.StopRoomRecording("8000"),
    control.LeaveRoom(1),
    control.SetParticipant(leg=1, muted=True, gain_db=-3.0, agc=True, gate=True, denoise=True),
    control.SetRoom(room="8000", loudest=0, max_rate_hz=16000, levels=True),
    control.SendDigits(1, "12#"),
    control.WatchLeg(1, on=False),
    control.LoadPrompt("a", "/a.wav"),
    control.Shutdown(),
]
EVENTS: list[control.Event] = [
    control.Started(1),
    control.LegOpened(1, 40000),
    control.LegRefused(1, "ports_exhausted"),
    control.PlayFinished(1, 2, interrupted=True),
    control.DigitReceived(1, "#", 80),
    control.RecordingClosed(1, "/x.wav", 8000, None),
    control.RoomRecordingClosed("8000", "/x.json", 8000, "disk_full", 16000),
    control.LegFailed(1, "no_route"),
    control.Talkers("8000", [(1, 23), (2, 40)]),
    control.SourceLearned(1, "192.0.2.1", 6000),
    control.Stopped(),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: type(c).__name__)
def test_commands_round_trip(command: control.Command) -> None:
    """Each command arrives as it was sent."""
    (frame,) = FrameReader().receive(encode_frame(command))
    assert decode_command(frame) == command


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: type(e).__name__)
def test_events_round_trip(event: control.Event) -> None:
    """Each event arrives as it was sent."""
    (frame,) = FrameReader().receive(encode_frame(event))
    assert decode_event(frame) == event


@given(st.lists(st.sampled_from(COMMANDS), max_size=6), st.integers(1, 40))
def test_however_the_stream_is_cut(commands: list[control.Command], size: int) -> None:
    """Pieces of any size give the same messages in the same order."""
    stream = b"".join(map(encode_frame, commands))
    reader, found = FrameReader(), []
    for at in range(0, len(stream), size):
        found += [decode_command(frame) for frame in reader.receive(stream[at : at + size])]
    assert found == commands


@given(st.binary(max_size=80))
def test_junk_is_typed(data: bytes) -> None:
    """Any octets are frames or ControlError."""
    with contextlib.suppress(ControlError):
        for frame in FrameReader().receive(data):
            decode_command(frame)
    with contextlib.suppress(ControlError):
        decode_event(data)


def test_a_length_nobody_writes_ends_the_channel() -> None:
    """More than a megabyte is neither sent nor waited for."""
    with pytest.raises(ControlError):
        FrameReader().receive(b"\x7f\xff\xff\xff")
    with pytest.raises(ControlError):
        encode_frame(control.LoadPrompt("x" * control.MAX_FRAME, ""))


def test_an_event_is_no_command() -> None:
    """What goes one way is refused the other way."""
    frame = encode_frame(control.Stopped())[4:]
    with pytest.raises(ControlError):
        decode_command(frame)


def test_another_text_of_any_file_of_messages_is_another_version(tmp_path: Path) -> None:
    """A worker that outlived its engine must not be spoken to in messages it does not know."""
    shutil.copytree(Path(control.__file__).parent, tmp_path, dirs_exist_ok=True)
    files = sorted(tmp_path.glob("*.py"))
    assert version_of(tmp_path) == control.VERSION
    assert {"commands.py", "events.py", "terms.py"} <= {path.name for path in files}
    seen = {control.VERSION}
    for path in files:
        path.write_bytes(path.read_bytes() + b"\n")
        seen.add(version_of(tmp_path))
    assert len(seen) == len(files) + 1
