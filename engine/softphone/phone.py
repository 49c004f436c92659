"""A softphone on pjsua2: blocking commands with time limits, everything on the caller's one thread.

pjsua2 allows one endpoint in a process, so there may be one ``Softphone`` at a time; whoever needs several
(tests, ``polyphony doctor``) starts ``python -m engine.softphone.agent`` for each, which also keeps an
abort of the library out of their own process.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Self

from engine.softphone import pj
from engine.softphone.account import PhoneAccount, account_config
from engine.softphone.settings import (
    CallStatus,
    DtmfMethod,
    PhoneEvent,
    PhoneSettings,
    SoftphoneError,
    WaitedTooLong,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from engine.softphone.calls import PhoneCall

TRANSPORTS = {
    ("udp", False): pj.PJSIP_TRANSPORT_UDP,
    ("tcp", False): pj.PJSIP_TRANSPORT_TCP,
    ("tls", False): pj.PJSIP_TRANSPORT_TLS,
    ("udp", True): pj.PJSIP_TRANSPORT_UDP6,
    ("tcp", True): pj.PJSIP_TRANSPORT_TCP6,
    ("tls", True): pj.PJSIP_TRANSPORT_TLS6,
}
STEP_MS = 10  # one round of the event loop
WAIT = 10.0  # seconds a command waits for its result unless told otherwise
JITTER_MS = 60  # held back before the first frame is played: two processes share a busy processor
SAMPLE_RATE = 8000  # G.711's own: files are recorded as they were heard


class Softphone:
    """One phone: ``start``, then register, call, answer, ...; ``close`` hangs up and ends the library."""

    def __init__(self, settings: PhoneSettings) -> None:
        self.settings = settings
        self.address = ""  # the SIP URI this phone is reached at directly, known after ``start``
        self._endpoint = pj.Endpoint()
        self._account: PhoneAccount | None = None
        self._events: list[PhoneEvent] = []
        self._running = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # life

    def start(self) -> None:
        """Bind the transport and create the account; raises SoftphoneError with the library's reason."""
        try:
            self._start()
        except pj.Error as error:
            self.close()
            raise SoftphoneError(error.info()) from error

    def _start(self) -> None:
        settings = self.settings
        ipv6 = ":" in settings.host
        with _quiet():
            self._endpoint.libCreate()
            self._running = True
            self._endpoint.libInit(_library_config(settings))
        transport_id = self._endpoint.transportCreate(
            TRANSPORTS[settings.transport, ipv6], _transport_config(settings)
        )
        self._endpoint.libStart()
        if not settings.device:
            self._endpoint.audDevManager().setNullDev()
        self._choose_codecs()
        where = self._endpoint.transportGetInfo(transport_id).localName
        parameter = "" if settings.transport == "udp" else f";transport={settings.transport}"
        self.address = f"sip:phone@{where}{parameter}"
        self._account = PhoneAccount(self._events.append, settings.answer_with, self._connect_device)
        uri = settings.uri or self.address
        self._account.create(account_config(settings, uri, transport_id, ipv6=ipv6))

    def close(self) -> None:
        """Hang up, unregister, free every object of the library in the order it wants, end the library."""
        if not self._running:
            return
        self._running = False
        if self._account is not None:
            self._account.silence()
            self._endpoint.hangupAllCalls()
            if self._account.registered:
                self._account.setRegistration(False)
            self._linger(
                lambda account: account.registered or any(c.state != "disconnected" for c in account.calls)
            )
            self._account.shutdown()
            # Freed now, by reference count: a call that dies after libDestroy aborts the process.
            self._account.calls.clear()
            self._account = None
        self._endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)

    def _linger(self, busy: Callable[[PhoneAccount], bool]) -> None:
        end = time.monotonic() + 1.0
        while self._account is not None and busy(self._account) and time.monotonic() < end:
            self._endpoint.libHandleEvents(STEP_MS)

    def _choose_codecs(self) -> None:
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.split("/")[0].upper()
            wanted = [wish.upper() for wish in self.settings.codecs]
            self._endpoint.codecSetPriority(codec.codecId, 250 - wanted.index(name) if name in wanted else 0)

    def _connect_device(self, port: pj.AudioMedia) -> None:
        if self.settings.device:
            devices = self._endpoint.audDevManager()
            devices.getCaptureDevMedia().startTransmit(port)
            port.startTransmit(devices.getPlaybackDevMedia())

    # the loop

    def step(self, milliseconds: int = STEP_MS) -> None:
        """Let the library work for a moment and do what its callbacks left to do."""
        self._endpoint.libHandleEvents(milliseconds)
        try:
            self._here.settle()
        except pj.Error as error:
            raise SoftphoneError(error.info()) from error

    def take_events(self) -> list[PhoneEvent]:
        taken = list(self._events)
        self._events.clear()  # in place: the account holds this very list
        return taken

    def wait(self, condition: Callable[[], bool], timeout: float, what: str) -> None:
        end = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > end:
                raise WaitedTooLong(f"{what}: not within {timeout:g} s")
            self.step()

    def rest(self, seconds: float) -> None:
        """Let calls run for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.step()

    @property
    def _here(self) -> PhoneAccount:
        if self._account is None:
            raise SoftphoneError("the phone is not started")
        return self._account

    def _call(self, number: int | None) -> PhoneCall:
        calls = self._here.calls
        if number is None:
            number = next((c.number for c in reversed(calls) if c.state != "disconnected"), len(calls) - 1)
        if not 0 <= number < len(calls):
            raise SoftphoneError("there is no such call")
        return calls[number]

    def _do(self, command: Callable[[], None]) -> None:
        try:
            command()
            self._here.settle()
        except pj.Error as error:
            raise SoftphoneError(error.info()) from error

    # commands; ``number`` None means the newest call that is up

    def register(self, timeout: float = WAIT) -> None:
        """Register and wait for the registrar's word; SoftphoneError.status is its status."""
        account = self._here
        account.registration_status = 0
        self._do(lambda: account.setRegistration(True))
        self.wait(lambda: account.registration_status != 0, timeout, "registration")
        if not account.registered:
            status, reason = account.registration_status, account.registration_reason
            raise SoftphoneError(f"{status} {reason}", status)

    def unregister(self, timeout: float = WAIT) -> None:
        account = self._here
        self._do(lambda: account.setRegistration(False))
        self.wait(lambda: not account.registered, timeout, "unregistration")

    @property
    def registered(self) -> bool:
        return self._here.registered

    def call(self, uri: str, *, headers: Mapping[str, str] | None = None, late_offer: bool = False) -> int:
        """Call; returns the call's number at once. ``wait_for`` waits for its fate."""
        call = self._here.new_call()
        self._do(lambda: call.start(uri, headers or {}, late_offer=late_offer))
        return call.number

    @property
    def newest(self) -> int:
        """The number of the last call made or received."""
        return len(self._here.calls) - 1

    def wait_for(self, state: str, number: int | None = None, timeout: float = WAIT) -> CallStatus:
        """Wait for a state (``confirmed``, ``disconnected``, ...); a call that ended meanwhile raises."""
        self.wait(lambda: number is not None or bool(self._here.calls), timeout, "a call")
        call = self._call(number)
        self.wait(lambda: call.state in (state, "disconnected"), timeout, f"call {state}")
        if call.state != state:
            raise SoftphoneError(f"{call.status} {call.reason}", call.status)
        return call.report()

    def wait_for_media(self, media: str, number: int | None = None, timeout: float = WAIT) -> None:
        call = self._call(number)
        self.wait(lambda: call.media == media or call.state == "disconnected", timeout, f"media {media}")
        if call.media != media:
            raise SoftphoneError(f"{call.status} {call.reason}", call.status)

    def wait_for_incoming(self, timeout: float = WAIT) -> int:
        """The number of a call that is ringing here."""
        self.wait(lambda: self._ringing() is not None, timeout, "an incoming call")
        ringing = self._ringing()
        assert ringing is not None
        return ringing

    def _ringing(self) -> int | None:
        return next(
            (c.number for c in self._here.calls if c.state in ("incoming", "early") and c.inbound), None
        )

    def answer(self, number: int | None = None, status: int = 200) -> None:
        self._do(lambda: self._call(number).respond(status))

    def hangup(self, number: int | None = None, status: int = 0, timeout: float = WAIT) -> None:
        """End the call (CANCEL, BYE or a refusal with ``status``) and wait for its end."""
        call = self._call(number)
        self._do(lambda: call.end(status))
        self.wait(lambda: call.state == "disconnected", timeout, "hang-up")

    def hold(self, number: int | None = None, timeout: float = WAIT) -> None:
        call = self._call(number)
        self._do(call.put_on_hold)
        self.wait_for_media("local_hold", call.number, timeout)

    def resume(self, number: int | None = None, timeout: float = WAIT) -> None:
        call = self._call(number)
        self._do(call.take_back)
        self.wait_for_media("active", call.number, timeout)

    def reoffer(self, number: int | None = None, method: str = "INVITE") -> None:
        self._do(lambda: self._call(number).offer_again(method))

    def send_dtmf(self, digits: str, method: DtmfMethod = "rfc4733", number: int | None = None) -> None:
        """Send digits; the library queues them and sends one after the other."""
        self._do(lambda: self._call(number).digits_out(digits, method))

    def digits(self, number: int | None = None) -> str:
        """Every digit received on the call so far."""
        return self._call(number).digits

    def transfer(self, uri: str, number: int | None = None) -> None:
        """Blind transfer (REFER); ``transfer`` events tell how it goes."""
        self._do(lambda: self._call(number).refer(uri))

    def attended_transfer(self, number: int, other: int) -> None:
        """REFER the far end of ``number`` to the far end of ``other`` (Replaces, RFC 3891)."""
        self._do(lambda: self._call(number).refer_replacing(self._call(other)))

    def request(self, method: str, content_type: str = "", body: str = "", number: int | None = None) -> None:
        self._do(lambda: self._call(number).request(method, content_type, body))

    def play(self, path: str, *, loop: bool = False, number: int | None = None) -> None:
        self._do(lambda: self._call(number).play(path, loop=loop))

    def stop_playing(self, number: int | None = None) -> None:
        self._do(self._call(number).stop_playing)

    def record(self, path: str, *, both: bool = False, number: int | None = None) -> None:
        self._do(lambda: self._call(number).record(path, both=both))

    def stop_recording(self, number: int | None = None) -> None:
        """End the recordings of a call; their files are complete afterwards."""
        files = self._call(number).stop_recording()
        self.wait(lambda: all(_complete(path) for path in files), WAIT, "closing the recording")

    def loop_back(self, number: int | None = None, *, on: bool = True) -> None:
        """Be an echo: return what the far end says."""
        self._do(lambda: self._call(number).loop_back(on=on))

    def status(self, number: int | None = None) -> CallStatus:
        return self._call(number).report()


def _complete(path: Path) -> bool:
    """Whether a WAV file's header gives its real length, which the library writes last."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(8)
    return size > 44 and int.from_bytes(header[4:], "little") == size - 8


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from writing to the terminal before its log settings apply."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _library_config(settings: PhoneSettings) -> pj.EpConfig:
    config = pj.EpConfig()
    config.uaConfig.maxCalls = 8
    config.uaConfig.threadCnt = 0  # callbacks come out of libHandleEvents only
    config.uaConfig.mainThreadOnly = True
    config.uaConfig.userAgent = f"polyphony-softphone pjsua2/{pj.version}"
    config.logConfig.consoleLevel = 0
    config.logConfig.level = 5 if settings.log_file else 0
    config.logConfig.filename = settings.log_file
    config.medConfig.clockRate = config.medConfig.sndClockRate = SAMPLE_RATE
    config.medConfig.noVad = True  # silence is sent: a gap would look like one-way audio
    config.medConfig.ecTailLen = 200 if settings.device else 0
    if not settings.device:
        _listen_exactly(config.medConfig)
    return config


def _listen_exactly(config: pj.MediaConfig) -> None:
    """What is recorded is measured, so the jitter buffer shall neither cut frames out nor run dry.

    ``jbDiscardAlgo`` becomes PJMEDIA_JB_DISCARD_NONE; the binding cannot assign this enum, its JSON can.
    """
    before, after = pj.JsonDocument(), pj.JsonDocument()
    before.writeObject(config)
    after.loadString(re.sub(r'("jbDiscardAlgo":\s*)\d+', r"\g<1>0", before.saveString()))
    after.readObject(config)
    config.jbInit = config.jbMinPre = config.jbMaxPre = JITTER_MS
    config.jbMax = 10 * JITTER_MS


def _transport_config(settings: PhoneSettings) -> pj.TransportConfig:
    config = pj.TransportConfig()
    config.port, config.boundAddress = settings.port, settings.host
    if settings.transport == "tls":
        config.tlsConfig.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2  # its bundled OpenSSL 1.0.2 knows no 1.3
        config.tlsConfig.verifyServer = bool(settings.ca_file)
        config.tlsConfig.CaListFile = settings.ca_file
        config.tlsConfig.certFile, config.tlsConfig.privKeyFile = settings.certificate, settings.key
    return config
