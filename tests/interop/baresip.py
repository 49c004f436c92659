"""Baresip (Debian) as a phone: its own SIP stack, playing a WAV file and keeping what it hears.

Modules used: ``g711``, ``srtp``, ``aufile`` (sound source), ``sndfile`` (writes what was decoded), ``account``,
``menu`` (dial, hang up, digits) and ``ctrl_tcp`` (JSON in netstrings, for commands and events).
Modules used: ``g711``, ``g722``, ``l16``, ``opus``, ``aufile`` (sound source), ``sndfile`` (writes what was
decoded), ``account``, ``menu`` (dial, hang up, digits) and ``ctrl_tcp`` (JSON in netstrings, for commands and events).
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.interop.ports import free_port
from tests.interop.process import ended
from tests.port_share import port_share

if TYPE_CHECKING:
    from pathlib import Path

MODULES = "/usr/lib/baresip/modules"
CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{sip_port}
net_interface 127.0.0.1
{tls}
audio_path /usr/share/baresip
audio_source aufile,{source}
audio_player aufile,{folder}/player.wav
ausrc_srate {source_rate}
ausrc_channels 1
opus_stereo no
opus_sprop_stereo no
opus_inbandfec yes
audio_alert aufile,{folder}/alert.wav
rtp_ports {rtp_first}-{rtp_last}
module_path {modules}
module g711.so
module srtp.so
module g722.so
module l16.so
module opus.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control_port}
snd_path {folder}/heard
"""


class BaresipError(Exception):
    """Baresip did not do what it was asked."""


@dataclass(frozen=True)
class Event:
    type: str
    param: str
    peer: str


class Baresip:
    """One baresip with one account. ``start``, then ``dial`` and ``wait_for`` its events."""

    def __init__(
        self,
        folder: Path,
        source: Path,
        *,
        uri: str = "sip:bare@127.0.0.1",
        user: str = "",
        password: str = "",
        register: bool = False,
        transport: str = "udp",
        answer: bool = False,
        ca_file: str = "",
        srtp: str = "",
        codecs: str = "PCMU/8000/1,PCMA/8000/1",
        source_rate: int = 8000,
    ) -> None:
        """srtp: ``srtp-mand`` offers RTP/SAVP, ``srtp`` keys beside RTP/AVP."""
        self.folder = folder / "baresip"
        self.port = free_port()
        self._control_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._buffer = b""
        self.events: list[Event] = []
        (self.folder / "heard").mkdir(parents=True)
        self._write_config(source, ca_file, source_rate)
        parameters = [
            f"<{uri};transport={transport}>",
            f"regint={60 if register else 0}",
            f"answermode={'auto' if answer else 'manual'}",
            f"audio_codecs={codecs}",
        ]
        if srtp:
            parameters.append(f"mediaenc={srtp}")
        if user:
            parameters += [f"auth_user={user}", f"auth_pass={password}"]
        (self.folder / "accounts").write_text(";".join(parameters) + "\n")
        (self.folder / "contacts").touch()

    def _write_config(self, source: Path, ca_file: str, source_rate: int) -> None:
        text = CONFIG.format(
            sip_port=self.port,
            rtp_first=port_share().sound[0],
            rtp_last=port_share().sound[-1],
            control_port=self._control_port,
            source=source,
            source_rate=source_rate,
            folder=self.folder,
            modules=MODULES,
            tls=f"sip_cafile {ca_file}" if ca_file else "",
        )
        (self.folder / "config").write_text(text)

    @property
    def address(self) -> str:
        return f"sip:bare@127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def start(self, timeout: float = 5.0) -> None:
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                ["/usr/bin/baresip", "-v", "-s", "-f", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        end = time.monotonic() + timeout
        while self._control is None:
            try:
                self._control = socket.create_connection(("127.0.0.1", self._control_port), timeout=1.0)
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    self.stop()
                    raise BaresipError(f"baresip did not start:\n{self.log}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            ended(self._process, 5.0)
            self._process = None

    def __enter__(self) -> Baresip:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self, command: str, parameters: str = "") -> None:
        """Send a long command of ``menu``: dial, hangup, accept, sndcode, hold, resume, transfer."""
        assert self._control is not None
        body = json.dumps({"command": command, "params": parameters, "token": "test"}).encode()
        self._control.sendall(b"%d:%s," % (len(body), body))

    def dial(self, uri: str) -> None:
        """Call a URI; the transport is the account's, which baresip adds by itself."""
        self.command("dial", uri.partition(";")[0])

    def press(self, digits: str) -> None:
        """Send digits as RFC 4733 events, one after the other."""
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(0.25)
            self.command("sndcode", "\x04")  # the key is let go

    def rest(self, seconds: float) -> None:
        """Let the call go on for a while, still taking events."""
        end = time.monotonic() + seconds
        assert self._control is not None
        while (left := end - time.monotonic()) > 0:
            self._control.settimeout(left)
            with contextlib.suppress(TimeoutError):
                self._take(self._control.recv(65536))

    def wait_for(self, *types: str, timeout: float = 10.0) -> Event:
        """The first event of one of these types that has not been waited for yet."""
        assert self._control is not None
        end = time.monotonic() + timeout
        while True:
            for index, event in enumerate(self.events):
                if event.type in types:
                    del self.events[: index + 1]
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise BaresipError(f"no {' or '.join(types)} within {timeout:g} s; log:\n{self.log}")
            self._control.settimeout(left)
            try:
                data = self._control.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise BaresipError(f"baresip has ended; log:\n{self.log}")
            self._take(data)

    def _take(self, data: bytes) -> None:
        self._buffer += data
        while b":" in self._buffer:
            size, _, rest = self._buffer.partition(b":")
            if len(rest) <= int(size):
                return
            message, self._buffer = rest[: int(size)], rest[int(size) + 1 :]
            fields = json.loads(message)
            if fields.get("event"):
                self.events.append(
                    Event(fields["type"], str(fields.get("param", "")), fields.get("peeruri", ""))
                )

    def heard(self) -> Path:
        """What the last call decoded (complete after the call's end)."""
        files = sorted((self.folder / "heard").glob("*-dec.wav"))
        if not files:
            raise BaresipError(f"nothing was decoded; log:\n{self.log}")
        return files[-1]
