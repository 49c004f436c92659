"""A running engine and who administers it: commands it takes up, https, bad starts, a crash while recording."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import warnings
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.interop.engine_process import DEFAULTS, POLYPHONY, ROOT, Engine
from tests.interop.quiet_log import assert_no_exception
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

pytestmark = pytest.mark.slow

PASSWORD = "a-long-enough-password"
HIGH = 900  # Hz, of the imported prompt; the phone's own tone is another


def wait_for(condition: Callable[[], object], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with Engine(Path(tmp_path_factory.mktemp("engine"))) as running:
        yield running
        assert_no_exception(running)


class TestCommands:
    """What the commands write is taken up at once, by SIGHUP."""

    def test_a_line_may_register_until_it_is_removed(self, engine: Engine) -> None:
        """And what was registered goes with it."""
        with WirePhone(engine.ready.address(), user="301", password=PASSWORD) as phone:
            assert phone.register().status == 401
            engine.add_line("301", PASSWORD)
            wait_for(lambda: [each["number"] for each in engine.listing("lines")] == ["301"])
            assert engine.listing("lines")[0]["contacts"] == []
            assert phone.register().status == 200
            assert len(engine.listing("lines")[0]["contacts"]) == 1
            assert "sip:301@" in engine.cli("lines").stdout
            engine.cli("lines", "remove", "301")
            wait_for(lambda: engine.listing("lines") == [])
            assert phone.register().status == 401

    def test_an_automate_answers_until_it_is_removed(self, engine: Engine) -> None:
        """Listed with its state and its calls."""
        with WirePhone(engine.ready.address()) as phone:
            assert phone.call("5600").status == 404
            said = engine.cli("automates", "add", "5600", "echo", "--count", "2").stdout
            assert said == "Automates added: 2 from 5600. The running engine takes it up now.\n"
            wait_for(lambda: phone.call("5601").status == 200)
            found = {each["number"]: each for each in engine.listing("automates")}
            assert (found["5601"]["state"], found["5601"]["calls"]) == ("answering", 1)
            assert (found["5600"]["application"], found["5600"]["calls"]) == ("echo", 0)
            phone.hang_up()
            engine.cli("automates", "remove", "5600")
            wait_for(lambda: phone.call("5601").status == 404)

    def test_a_rule_of_the_dial_plan_holds_for_the_next_call(self, engine: Engine) -> None:
        """Without a wait: the command comes back when calls go by it."""
        with WirePhone(engine.ready.address()) as phone:
            engine.cli("automates", "add", "5800", "echo")
            wait_for(lambda: phone.call("5800").status == 200)
            phone.hang_up()
            written = "+33155175800"
            assert phone.call(written).status == 404
            added = engine.cli(
                "dial-rules",
                "add",
                "--priority",
                "1",
                "--pattern",
                "[(\\+|0)33?15517]",
                "--result",
                "",
                "--json",
            )
            assert phone.call(written).status == 200
            phone.hang_up()
            assert engine.cli("dialplan", "try", written).stdout.startswith("5800\nby the outgoing rule 1: ")
            engine.cli("dial-rules", "remove", json.loads(added.stdout)["uid"])
            assert phone.call(written).status == 404

    def test_a_link_is_listed_with_its_state(self, engine: Engine) -> None:
        """A PBX that answers is up, and trusted; gone, it is neither."""
        with WirePhone(engine.ready.address(), host="127.0.0.5") as pbx:
            port = pbx.sip.getsockname()[1]
            pbx.answers["OPTIONS"] = 200
            engine.cli(
                "links", "add", "lab", "--host", "127.0.0.5", "--port", str(port), "--no-register",
                "--password-file", engine.password_file(PASSWORD),
            )  # fmt: skip
            pbx.listen(5, until="OPTIONS")
            wait_for(lambda: [each["state"] for each in engine.listing("links")] == ["up"])
            assert f"127.0.0.5:{port}" in engine.cli("links").stdout
            assert PASSWORD not in engine.cli("links", "--json").stdout
            engine.cli("links", "remove", "lab")
            wait_for(lambda: engine.listing("links") == [])

    @pytest.mark.parametrize(("kind", "number"), [("wav", "5701"), ("mp3", "5702")])
    def test_an_imported_prompt_is_heard(
        self, engine: Engine, tmp_path: Path, kind: str, number: str
    ) -> None:
        """By its name, without a restart."""
        source = tmp_path / f"tone.{kind}"
        time_axis = np.arange(5 * 44100) / 44100
        soundfile.write(source, 0.3 * np.sin(2 * np.pi * HIGH * time_axis), 44100)
        engine.cli("prompts", "import", str(source), "--name", f"tone-{kind}")
        engine.cli("automates", "add", number, "announcement", "--prompt", f"tone-{kind}", "--loop")
        with WirePhone(engine.ready.address()) as phone:
            wait_for(lambda: phone.call(number).status == 200)
            with Voice(phone) as voice:
                wait_for(lambda: voice.loudest(HIGH) > 0.1)
            phone.hang_up()


class TestHttps:
    def test_on_every_address_it_is_tls(self, tmp_path: Path) -> None:
        """With the certificate of the data directory; TLS 1.1 and plain HTTP are not served."""
        with Engine(tmp_path, {"http.bind": "0.0.0.0"}) as engine:
            assert engine.ready.api.startswith("https://0.0.0.0:")
            assert engine.ready.console == engine.ready.api.removesuffix("api/v1")
            port = int(engine.ready.console.rpartition(":")[2].strip("/"))
            (first,) = [line for line in engine.first_lines if "password" in line]
            password = first.split("the password ")[1].split()[0]
            trusting = ssl.create_default_context(cafile=str(engine.data / "tls" / "cert.pem"))
            trusting.check_hostname = False
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting, timeout=5)
            token = base64.b64encode(f"admin:{password}".encode()).decode()
            connection.request("GET", "/api/v1/status", headers={"Authorization": f"Basic {token}"})
            answer = connection.getresponse()
            assert answer.status == 200
            assert json.loads(answer.read())["calls"] == 0
            connection.close()
            assert self.refuses_old_tls(port)
            assert self.refuses_plain_http(port)
            assert password not in engine.log

    def refuses_old_tls(self, port: int) -> bool:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            try:
                old.wrap_socket(connection)
            except OSError:  # an alert, or the end of the connection
                return True
        return False

    def refuses_plain_http(self, port: int) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                return b"200" not in connection.recv(1000)
            except ConnectionResetError:
                return True


def failed_start(data: Path, **settings: str) -> str:
    """What ``serve`` says when it cannot start: it must exit 1 within seconds, with one line and no trace."""
    command = [*POLYPHONY, "serve", "--data", str(data)]
    for name, value in {**DEFAULTS, **settings}.items():
        command += ["--set", f"{name}={value}"]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        timeout=30,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "ready" not in done.stdout
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith(("polyphony: ", "Error: "))]
    return line


class TestBadStarts:
    """In one line, what the administrator can mend."""

    def test_a_sip_port_that_is_taken(self, tmp_path: Path) -> None:
        """By another program."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            assert "cannot listen: " in failed_start(tmp_path / "d", **{"sip.port": str(port)})

    def test_an_http_port_that_is_taken(self, tmp_path: Path) -> None:
        """Twisted's own error is said in its words."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            assert port in failed_start(tmp_path / "d", **{"http.port": port})

    def test_an_address_that_is_not_ours(self, tmp_path: Path) -> None:
        """192.0.2.1 is nobody's."""
        assert "cannot listen: " in failed_start(tmp_path / "d", **{"sip.bind": "192.0.2.1"})

    def test_a_certificate_that_is_none(self, tmp_path: Path) -> None:
        """A file that can be read and is no certificate."""
        nonsense = tmp_path / "cert.pem"
        nonsense.write_text("no certificate")
        files = {"sip.tls_certificate": str(nonsense), "sip.tls_key": str(nonsense)}
        assert "certificate" in failed_start(tmp_path / "d", **files)

    def test_a_database_that_does_not_answer(self, tmp_path: Path) -> None:
        """Without the password of its URL."""
        said = failed_start(tmp_path / "d", **{"store.url": "postgresql://u:hush@127.0.0.1:1/x"})
        assert "store" in said
        assert "hush" not in said

    def test_a_log_that_cannot_be_written(self, tmp_path: Path) -> None:
        """Named."""
        assert str(tmp_path) in failed_start(tmp_path / "d", **{"log.file": str(tmp_path / "no" / "log")})

    def test_a_second_engine_in_one_directory(self, engine: Engine) -> None:
        """The first is not disturbed."""
        assert "is running here already" in failed_start(engine.data)
        assert engine.status()["workers"]


def recordings(engine: Engine) -> list[Path]:
    return list((engine.data / "recordings").glob("*.wav"))


def length(path: Path) -> float:
    with wave.open(str(path)) as sound:
        return float(sound.getnframes() / sound.getframerate())


class TestRecordings:
    def test_a_crash_leaves_a_recording_that_can_be_heard(self, tmp_path: Path) -> None:
        """kill -9 of everything, and no journal left: the next start makes the file whole and lists it with its caller.

        Other files in the folder are not touched.
        """
        engine = Engine(tmp_path)
        engine.start()
        with WirePhone(engine.ready.address(), user="0612") as phone:
            assert phone.call("6000").status == 200
            with Voice(phone):
                wait_for(lambda: recordings(engine), 12)
                wait_for(lambda: recordings(engine)[0].stat().st_size > 40_000)
                for pid in engine.ready.workers:
                    os.kill(pid, signal.SIGKILL)
                engine.kill()
        (engine.data / "calls.journal").unlink()  # else the call goes on, and its recording
        (path,) = recordings(engine)
        foreign = path.with_name("music.wav")
        foreign.write_bytes(b"RIFF and something else")
        with path.open("ab") as cut:
            cut.write(bytes(8001))  # half a second the header knows nothing of, and half a sample
        with engine:
            assert_no_exception(engine)
            (found,) = json.loads(engine.cli("recordings", "--json").stdout)
            assert (found["number"], found["caller"], found["reason"]) == ("6000", "0612", "interrupted")
            assert found["path"] == str(path)
            assert found["seconds"] == pytest.approx(length(path))
            assert found["seconds"] > 2.5
            assert foreign.read_bytes() == b"RIFF and something else"
            shown = engine.cli("recordings", "--number", "6000").stdout.splitlines()
            assert len(shown) == 2
            assert "interrupted" in shown[1]

    def test_the_longest_recording(self, tmp_path: Path) -> None:
        """``media.recording_max`` ends it, also when it was changed while the engine ran."""
        config = tmp_path / "polyphony.toml"
        config.write_text("[media]\nrecording_max = 3600\n")
        with Engine(tmp_path, config=config) as engine:
            config.write_text("[media]\nrecording_max = 1\n")
            engine.reload()
            wait_for(lambda: "changed keys: media.recording_max" in engine.log)
            with WirePhone(engine.ready.address(), user="0612") as phone:
                assert phone.call("6000").status == 200
                with Voice(phone):
                    wait_for(lambda: "too_long" in engine.cli("recordings", "--json").stdout, 15)
                assert phone.ended_by_engine is None
                phone.hang_up()
            (path,) = recordings(engine)
            assert length(path) == pytest.approx(1.0, abs=0.05)


def test_codecs_follow_the_configuration_while_it_runs(tmp_path: Path) -> None:
    """A phone of PCMU only is refused as soon as PCMA is the only one left."""
    config = tmp_path / "polyphony.toml"
    config.write_text('[media]\ncodecs = ["PCMU", "PCMA"]\n')
    with Engine(tmp_path, config=config) as engine, WirePhone(engine.ready.address()) as phone:
        assert phone.call("5000").status == 200
        config.write_text('[media]\ncodecs = ["PCMA"]\n')
        engine.reload()
        wait_for(lambda: "changed keys: media.codecs" in engine.log)
        assert phone.hang_up().status == 200
        assert phone.call("5000").status == 488
