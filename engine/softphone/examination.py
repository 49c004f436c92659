"""Real calls through a running engine, and what was heard: the doctor's stethoscope.

Each examination places one call with a phone of its own and returns findings; none raises for what the far
end does.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import engine
from engine.softphone import listening
from engine.softphone.driver import PhoneProcess
from engine.softphone.findings import Finding, fails, note, works
from engine.softphone.probe import local_address
from engine.softphone.settings import CallStatus, DtmfMethod, PhoneSettings, SoftphoneError, WaitedTooLong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.softphone.settings import TransportName

TONE_HZ = 1000.0
TONE_DBFS = -12.0
LEVEL_TOLERANCE_DB = 1.5  # G.711 itself costs a tenth; a PBX that changes the level is worth a word
LONG_DELAY_MS = 300.0  # ITU-T G.114: 150 ms one way is where talkers begin to interrupt each other
LOSS_WORTH_A_WORD = 0.01
ANSWER_WITHIN = 10.0  # seconds
SPEECH_WITHIN = 8.0
SPEECH_ENDS_AFTER = 1.0  # seconds of quiet
ALIKE = 0.75  # a spoken digit through G.711 scores above 0.9, the most alike pair of others 0.6
PROMPTS = Path(engine.__file__).parent / "prompts"

# Answers to an INVITE that have one likely cause, each with its own sentence.
REASONS = {
    401: "needs_password",
    403: "forbidden",
    404: "no_such_number",
    407: "needs_password",
    408: "no_answer",
    480: "not_there",
    486: "busy",
    488: "no_codec",
    503: "overloaded",
}


class Unreached(Exception):
    """The call was not connected; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.key)
        self.finding = finding


class Examination:
    """The calls of one doctor's visit. ``server`` is ``HOST:PORT``; ``folder`` keeps what was heard."""

    def __init__(self, server: str, settings: PhoneSettings, folder: Path) -> None:
        self._server, self._settings, self._folder = server, settings, folder

    def _uri(self, number: str) -> str:
        return f"sip:{number}@{self._server};transport={self._settings.transport}"

    def _connect(self, phone: PhoneProcess, number: str, check: str) -> float:
        """Call and wait for the answer; the seconds it took."""
        started = time.monotonic()
        try:
            phone.call(self._uri(number))
            phone.wait_for("confirmed", timeout=ANSWER_WITHIN)
        except WaitedTooLong:
            raise Unreached(fails(check, "no_answer", number=number)) from None
        except SoftphoneError as error:
            key = REASONS.get(error.status, "refused")
            raise Unreached(fails(check, key, number=number, reason=str(error))) from None
        return time.monotonic() - started

    # registration

    def registration(self) -> Finding:
        """Register the line and unregister it again."""
        with PhoneProcess(self._settings) as phone:
            try:
                phone.register()
            except WaitedTooLong:
                return fails("registration", "registration_silent", user=self._settings.user)
            except SoftphoneError as error:
                key = (
                    "registration_denied" if error.status in (401, 403, 404, 407) else "registration_refused"
                )
                return fails("registration", key, user=self._settings.user, reason=str(error))
        return works("registration", "registered", user=self._settings.user)

    # echo

    def echo(self, number: str) -> list[Finding]:
        """Call the echo: signalling, sound both ways, level and delay."""
        with PhoneProcess(self._settings) as phone:
            try:
                took = self._connect(phone, number, "signalling")
            except Unreached as unreached:
                return [unreached.finding]
            found = [works("signalling", "answered", number=number, milliseconds=round(took * 1000))]
            heard, both = self._play_and_listen(phone)
            found += _sound_of_echo(heard, phone.status(), self._settings.transport)
            if found[-1].verdict.value != "fails":
                found += _delay_of_echo(both)
            phone.hangup()
        return found

    def _play_and_listen(self, phone: PhoneProcess) -> tuple[listening.Sound, listening.Sound]:
        """Send a sweep, a pause and a tone once; what came back, alone and mixed with what was sent."""
        sent, heard, both = (self._folder / f"echo-{name}.wav" for name in ("sent", "heard", "both"))
        parts = [
            listening.silence(0.4),
            listening.sweep(0.2, TONE_DBFS),
            listening.silence(1.4),
            listening.sine(TONE_HZ, 1.5, TONE_DBFS),
            listening.silence(1.0),
        ]
        listening.save(sent, listening.joined(parts))
        phone.record(heard)
        phone.record(both, both=True)
        phone.play(sent)
        phone.rest(4.5)
        phone.stop_recording()
        return listening.load(heard), listening.load(both)

    # announcement

    def announcement(self, number: str) -> Finding:
        """Call an announcement and say whether a voice was heard."""
        with PhoneProcess(self._settings) as phone:
            try:
                self._connect(phone, number, "announcement")
            except Unreached as unreached:
                return unreached.finding
            path = self._folder / "announcement.wav"
            phone.record(path)
            phone.rest(3.0)
            phone.stop_recording()
            status = phone.status()
            phone.hangup()
        voice = listening.sounding(listening.load(path))
        if not voice.size:
            return _nothing_heard("announcement", number, status)
        level = round(listening.level_dbfs(voice), 1)
        return works("announcement", "announcement_heard", number=number, level=level)

    # digits

    def digits(self, number: str) -> list[Finding]:
        """Send one digit by RFC 4733 and one by INFO to the number that speaks them back, and listen."""
        methods: list[tuple[DtmfMethod, str]] = [("rfc4733", "7"), ("info", "3")]
        with PhoneProcess(self._settings) as phone:
            try:
                self._connect(phone, number, "dtmf")
            except Unreached as unreached:
                return [unreached.finding]
            self._speech(phone, "greeting")
            found = []
            for method, digit in methods:
                phone.send_dtmf(digit, method)
                found.append(_digit_heard(method, digit, self._speech(phone, f"digit-{digit}")))
            phone.hangup()
        return found

    def _speech(self, phone: PhoneProcess, name: str) -> listening.Sound:
        """Listen until somebody has spoken and is quiet again (or nobody spoke in time)."""
        path = self._folder / f"{name}.wav"
        phone.record(path)
        started = time.monotonic()
        spoke = False
        while time.monotonic() - started < SPEECH_WITHIN * (2 if spoke else 1):
            phone.rest(0.25)
            so_far = listening.recorded_so_far(path)
            spoke = bool(listening.sounding(so_far).size)
            recent = so_far[-round(SPEECH_ENDS_AFTER * listening.RATE) :]
            if spoke and not listening.sounding(recent).size:
                break
        phone.stop_recording()
        return listening.sounding(listening.load(path))


def _nothing_heard(check: str, number: str, status: CallStatus) -> Finding:
    if not status.received_packets:
        return fails(check, "no_packets", number=number)
    return fails(check, "silent_packets", number=number, packets=status.received_packets)


def _sound_of_echo(heard: listening.Sound, status: CallStatus, transport: str) -> Iterator[Finding]:
    """One-way sound is told by counting: what was sent, what came back, and what was in it."""
    if not listening.sounding(heard).size:
        key = "echo_no_packets" if not status.received_packets else "echo_silent"
        yield fails("audio", key, sent=status.sent_packets, received=status.received_packets)
        return
    tone = listening.strongest(listening.sounding(heard)[-listening.RATE :])
    if abs(tone.frequency_hz - TONE_HZ) > 5:
        yield fails("audio", "echo_wrong", hertz=round(tone.frequency_hz), sent_hertz=round(TONE_HZ))
        return
    change = round(tone.level_dbfs - TONE_DBFS, 1)
    if abs(change) > LEVEL_TOLERANCE_DB:
        yield note("level", "echo_level_changed", change=f"{change:+}")
    yield works("audio", "echo_heard", codec=status.codec, change=f"{change:+}", transport=transport.upper())
    total = status.received_packets + status.lost_packets
    if total and status.lost_packets / total > LOSS_WORTH_A_WORD:
        yield note("loss", "packets_lost", lost=status.lost_packets, total=total)


def _delay_of_echo(both: listening.Sound) -> Iterator[Finding]:
    delay = listening.echo_delay(both[: 2 * listening.RATE], listening.sweep(0.2, TONE_DBFS))
    if delay is None:
        yield note("delay", "delay_unknown")
        return
    milliseconds = round(delay * 1000)
    make = note if milliseconds > LONG_DELAY_MS else works
    yield make("delay", "delay_long" if make is note else "delay", milliseconds=milliseconds)


def _digit_heard(method: DtmfMethod, digit: str, speech: listening.Sound) -> Finding:
    check = f"dtmf_{method}"
    if not speech.size:
        return fails(check, "digit_unanswered", digit=digit)
    words = spoken_digits()
    if not words:
        return note(check, "digit_answered", digit=digit)
    name, score = listening.most_like(speech, words)
    heard = name.rpartition("-")[2]
    if score < ALIKE:
        return note(check, "digit_answered", digit=digit)
    if heard != digit:
        return fails(check, "digit_wrong", digit=digit, heard=heard)
    return works(check, "digit_recognised", digit=digit)


def spoken_digits(folder: Path = PROMPTS) -> dict[str, listening.Sound]:
    """The shipped recordings of the ten digits in every language, by ``language/digit-N``."""
    files = (path for digit in range(10) for path in folder.glob(f"*/digit-{digit}.*"))
    return {f"{path.parent.name}/{path.stem}": listening.load(path) for path in files}


def phone_settings(
    server: tuple[str, int],
    transport: TransportName,
    *,
    user: str = "",
    password: str = "",
    ca_file: str = "",
) -> PhoneSettings:
    """A phone for the examination: with a user it is a line of that server, without one a stranger."""
    where = in_uri(*server)
    return PhoneSettings(
        transport=transport,
        host=local_address(*server),
        ca_file=ca_file,
        uri=f"sip:{user}@{where}" if user else "",
        registrar=f"sip:{where};transport={transport}" if user else "",
        user=user,
        password=password,
    )


def in_uri(host: str, port: int) -> str:
    """``host:port`` as a URI has it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
