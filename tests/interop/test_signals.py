"""SIGTERM and SIGHUP to a running engine with calls up."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import threading
import time
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.engine_process import STOP, Engine, EngineFailed
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import NotAnswered, WirePhone
from tests.interop.wire_sound import Voice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

PASSWORD = "a-long-enough-password"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine that the test may stop itself."""
    engine = Engine(tmp_path)
    engine.start()
    try:
        yield engine
    finally:
        engine.kill()
    assert not [line for line in engine.log.splitlines() if "Traceback" in line or "Unhandled" in line]


@contextlib.contextmanager
def listening(*phones: WirePhone) -> Iterator[None]:
    """Phones that answer the BYE they get."""
    threads = [threading.Thread(target=phone.listen, args=(STOP,)) for phone in phones]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


class TestTerm:
    def test_every_call_gets_a_bye(self, engine: Engine) -> None:
        """Whatever the automate does at that moment; exit 0 soon after the last answer."""
        with contextlib.ExitStack() as stack:
            numbers = ["5000", "7000", "7001", "6999", "6000"]
            phones = [stack.enter_context(WirePhone(engine.ready.address())) for _ in numbers]
            for phone, number in zip(phones, numbers, strict=True):
                assert phone.call(number).status == 200
            with listening(*phones):
                engine.stop()  # exit 0 within 5 s, or it fails
            assert all(phone.ended_by_engine is not None for phone in phones)

    def test_peers_that_do_not_answer_do_not_hold_it(self, engine: Engine) -> None:
        """A phone that is gone, and a caller that never acknowledges: exit 0 within five seconds all the same."""
        with WirePhone(engine.ready.address()) as gone, WirePhone(engine.ready.address()) as silent:
            assert gone.call("5000").status == 200
            silent.ask("INVITE", "sip:5000@127.0.0.1", silent.dialog, body=offer(silent))
            assert engine.status()["calls"] == 2
            engine.stop()
            gone.listen(0.2)
            assert gone.ended_by_engine is not None

    def test_a_recording_is_closed(self, engine: Engine) -> None:
        """The file is whole, and the store knows it."""
        with WirePhone(engine.ready.address()) as phone:
            assert phone.call("6000").status == 200
            with Voice(phone):
                wait_for(lambda: bool(recordings(engine)), 12)
                time.sleep(2.0)
                with listening(phone):
                    engine.stop()
        (path,) = recordings(engine)
        with wave.open(str(path)) as sound:
            seconds = sound.getnframes() / sound.getframerate()
            assert len(sound.readframes(sound.getnframes())) == 2 * sound.getnframes()
        assert 1.5 < seconds < 4.0
        with contextlib.closing(sqlite3.connect(engine.data / "store.sqlite3")) as store:
            [(stored, told, caller)] = store.execute(
                "SELECT path, seconds, caller FROM recordings"
            ).fetchall()
        assert (stored, caller) == (str(path), "tester")
        assert told == pytest.approx(seconds)

    def test_a_call_that_rings(self, engine: Engine) -> None:
        """The called phone is told to stop ringing, the caller that the call failed."""
        engine.add_line("200", PASSWORD)
        address = engine.ready.address()
        with (
            WirePhone(address, user="200", password=PASSWORD) as called,
            WirePhone(address) as caller,
        ):
            assert called.register().status == 200
            ringing = threading.Thread(target=called.listen, args=(STOP, "CANCEL"))
            ringing.start()
            outcome: list[int] = []
            calling = threading.Thread(target=lambda: outcome.append(caller.call("200").status))
            calling.start()
            wait_for(lambda: [each.method for each in called.asked] == ["INVITE"])
            engine.stop()
            ringing.join()
            calling.join()
        assert [each.method for each in called.asked][-1] == "CANCEL"
        assert outcome[0] >= 400

    def test_new_calls_are_not_taken(self, engine: Engine) -> None:
        """A call that comes while others say goodbye is refused; none is begun."""
        address = engine.ready.address()
        with WirePhone(address) as gone, WirePhone(address) as late:
            assert gone.call("5000").status == 200
            stopping = threading.Thread(target=engine.stop)
            stopping.start()
            gone.answers["BYE"] = 0  # so that stopping takes a while
            gone.listen(STOP)
            with contextlib.suppress(NotAnswered):
                assert late.call("5000", timeout=1.0).status == 503
            stopping.join()
        assert not late.up

    def test_a_second_signal_changes_nothing(self, engine: Engine) -> None:
        """Impatience is not punished."""
        with WirePhone(engine.ready.address()) as gone:
            assert gone.call("5000").status == 200
            assert engine._process is not None
            engine._process.send_signal(signal.SIGTERM)
            engine._process.send_signal(signal.SIGINT)
            engine.stop()


def offer(phone: WirePhone) -> bytes:
    port = phone.rtp.getsockname()[1]
    return (
        f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    ).encode()


def recordings(engine: Engine) -> list[Path]:
    return list((engine.data / "recordings").glob("*.wav"))


FIRST = '[log]\nlevel = "debug"\n\n[sip]\naccept_from = ["127.0.0.0/8"]\n'
STRICTER = '[log]\nlevel = "warn"\n\n[sip]\naccept_from = ["127.0.0.1/32"]\n'
BROKEN = '[log]\nlevel = "warn"\n\n[sip]\naccept_from = ["127.0.0.1/32", "nonsense"]\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "polyphony.toml"
    path.write_text(FIRST)
    return path


@pytest.fixture
def configured(tmp_path: Path, config: Path) -> Iterator[Engine]:
    """An engine whose level and networks are the file's."""
    with Engine(tmp_path, {"log.level": None}, config=config) as engine:
        yield engine
        assert_no_exception(engine)


def status_of_a_call(engine: Engine, host: str) -> int:
    """What a call from that address gets."""
    with WirePhone(engine.ready.address(), host=host) as phone:
        status = phone.call("5000").status
        if phone.up:
            phone.hang_up()
    return status


class TestHup:
    def test_the_configuration_is_read_again(self, configured: Engine, config: Path) -> None:
        """Who may call, and what is logged, change at once; the calls that are up go on with their sound."""
        assert status_of_a_call(configured, "127.0.0.7") == 200
        with WirePhone(configured.ready.address(), host="127.0.0.7") as phone:
            assert phone.call("5000").status == 200
            with Voice(phone) as voice:
                time.sleep(1.0)
                config.write_text(STRICTER)
                configured.reload()
                wait_for(lambda: status_of_a_call(configured, "127.0.0.7") == 401)
                assert status_of_a_call(configured, "127.0.0.1") == 200
                time.sleep(1.0)
            assert voice.kept() > 0.9
            assert phone.ended_by_engine is None
            assert phone.hang_up().status == 200
        size = len(configured.log)
        assert status_of_a_call(configured, "127.0.0.1") == 200
        assert len(configured.log) == size, "info is below the level that is asked for now"

    def test_a_bad_file_changes_nothing(self, configured: Engine, config: Path) -> None:
        """It is named with line and key in the log, and everything stays as it was."""
        with WirePhone(configured.ready.address(), host="127.0.0.7") as phone:
            assert phone.call("5000").status == 200
            config.write_text(BROKEN)
            configured.reload()
            wait_for(lambda: "was not taken up" in configured.log)
            (line,) = [each for each in configured.log.splitlines() if "was not taken up" in each]
            assert f"{config}:5: sip.accept_from: " in line
            assert status_of_a_call(configured, "127.0.0.7") == 200
            assert phone.ended_by_engine is None
            assert phone.hang_up().status == 200
        assert "info" in configured.log.splitlines()[-1]

    def test_a_file_that_is_gone(self, configured: Engine, config: Path) -> None:
        """Nor does a missing one stop it; the next good one is taken up."""
        config.unlink()
        configured.reload()
        wait_for(lambda: "was not taken up" in configured.log)
        assert status_of_a_call(configured, "127.0.0.7") == 200
        config.write_text(STRICTER)
        configured.reload()
        wait_for(lambda: status_of_a_call(configured, "127.0.0.7") == 401)

    def test_keys_that_need_a_restart_are_named(self, configured: Engine, config: Path) -> None:
        """They are told, not silently forgotten."""
        config.write_text(FIRST + 'realm = "elsewhere"\n')
        configured.reload()
        wait_for(lambda: "take effect after a restart: sip.realm" in configured.log)


class TestWhileStarting:
    """The process id is known to others a second before the engine can do anything."""

    def test_hup(self, tmp_path: Path) -> None:
        """It is for an engine that has something to read again; this one starts as if nothing had been."""
        engine = Engine(tmp_path)
        with ThreadPoolExecutor(1) as beside:
            starting = beside.submit(engine.start)
            os.kill(early_pid(engine), signal.SIGHUP)
            assert starting.result().sip
        engine.stop()

    def test_term(self, tmp_path: Path) -> None:
        """It ends at once, as asked: exit 0, and its claim on the data directory is gone."""
        engine = Engine(tmp_path)
        with ThreadPoolExecutor(1) as beside:
            starting = beside.submit(engine.start)
            os.kill(early_pid(engine), signal.SIGTERM)
            with pytest.raises(EngineFailed, match=r"no ready line \(exit 0\):\n$"):
                starting.result()
        assert not (engine.data / "engine.pid").exists()


def early_pid(engine: Engine) -> int:
    """The engine's process id as soon as it is known."""
    path = engine.data / "engine.pid"
    wait_for(lambda: path.exists() and path.read_text() != "")
    return int(path.read_text())
