"""One call of the softphone: pjsua2's callbacks turned into events, and its sound routed.

Callbacks only note what happened. They run inside ``libHandleEvents`` of the one thread that owns the
library; whatever acts on the library waits for ``PhoneCall.settle``, which the phone runs afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.softphone import pj
from engine.softphone.settings import CallStatus, DtmfMethod, PhoneEvent, SoftphoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.softphone.account import PhoneAccount

STATES = {
    pj.PJSIP_INV_STATE_NULL: "null",
    pj.PJSIP_INV_STATE_CALLING: "calling",
    pj.PJSIP_INV_STATE_INCOMING: "incoming",
    pj.PJSIP_INV_STATE_EARLY: "early",
    pj.PJSIP_INV_STATE_CONNECTING: "connecting",
    pj.PJSIP_INV_STATE_CONFIRMED: "confirmed",
    pj.PJSIP_INV_STATE_DISCONNECTED: "disconnected",
}
MEDIA = {
    pj.PJSUA_CALL_MEDIA_NONE: "none",
    pj.PJSUA_CALL_MEDIA_ACTIVE: "active",
    pj.PJSUA_CALL_MEDIA_LOCAL_HOLD: "local_hold",
    pj.PJSUA_CALL_MEDIA_REMOTE_HOLD: "remote_hold",
    pj.PJSUA_CALL_MEDIA_ERROR: "error",
}
HEARD = ("active", "remote_hold")  # media states in which pjsua2 keeps a sound port for us
DIGIT_MS = (
    120  # length of a DTMF event; RFC 4733 section 2.5.1.2 leaves it to the sender, PBXs want 40 at least
)


class Player(pj.AudioMediaPlayer):
    """A file being played; tells when it has ended (unless it loops)."""

    def __init__(self, path: str, *, loop: bool, ended: Callable[[], None]) -> None:
        super().__init__()
        self._ended = ended
        self.loop = loop
        self.createPlayer(path, 0 if loop else pj.PJMEDIA_FILE_NO_LOOP)

    def onEof2(self) -> None:
        if not self.loop:
            self._ended()


class PhoneCall(pj.Call):
    """One call with its players and recorders. Its account keeps it until the phone closes."""

    def __init__(self, account: PhoneAccount, number: int, library_id: int | None = None) -> None:
        if library_id is None:
            super().__init__(account)
        else:
            super().__init__(account, library_id)
        self._account = account
        self.number = number
        self.inbound = library_id is not None
        self.state = "null"
        self.media = "none"
        self.status = 0
        self.reason = ""
        self.remote = ""
        self.call_id = ""
        self.digits = ""
        self._port: pj.AudioMedia | None = None
        self._player: Player | None = None
        self._recorder: pj.AudioMediaRecorder | None = None
        self._files: list[Path] = []  # being recorded
        self._both: pj.AudioMediaRecorder | None = None  # hears us and them: the delay is read from it
        self._stream = CallStatus(number, "null", 0, "", "none", "", "")
        self._media_changed = False
        self._echo = False

    # what happened

    def _note(self, kind: str, text: str = "", code: int = 0, extra: str = "") -> None:
        self._account.note(PhoneEvent(kind, self.number, text, code, extra))

    def onCallState(self, prm: pj.OnCallStateParam) -> None:
        self.refresh()
        if self.state == "disconnected":
            self.media = "none"
            self._media_changed = True
        self._note("state", self.state, self.status, self.reason)

    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:
        self.refresh()
        self._media_changed = True
        self._note("media", self.media)

    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:
        self.digits += prm.digit
        method = "info" if prm.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc4733"
        self._note("digit", prm.digit, extra=method)

    def onCallTransferRequest(self, prm: pj.OnCallTransferRequestParam) -> None:
        self._note("transfer_asked", prm.dstUri)
        prm.newCall = self._account.new_call()

    def onCallTransferStatus(self, prm: pj.OnCallTransferStatusParam) -> None:
        self._note("transfer", prm.reason, prm.statusCode, "final" if prm.finalNotify else "")
        prm.cont = not prm.finalNotify

    def onCallReplaceRequest(self, prm: pj.OnCallReplaceRequestParam) -> None:
        prm.newCall = self._account.new_call()

    def onCallReplaced(self, prm: pj.OnCallReplacedParam) -> None:
        successor = self._account.call_of(prm.newCallId)
        self._note("replaced", code=-1 if successor is None else successor.number)

    def refresh(self) -> None:
        """Read the library's idea of this call."""
        info = self.getInfo()
        self.state = STATES.get(info.state, "null")
        self.status, self.reason = info.lastStatusCode, info.lastReason
        self.remote, self.call_id = info.remoteUri, info.callIdString or self.call_id
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO:
                self.media = MEDIA.get(media.status, "none")
                break

    # sound

    def settle(self) -> None:
        """Connect players and recorders to the call again after its media changed."""
        if not self._media_changed:
            return
        self._media_changed = False
        self._port = None
        if self.media in HEARD and self.state in ("early", "connecting", "confirmed"):
            self._port = self.getAudioMedia(-1)
            self._connect()
        elif self.state == "disconnected":
            self.silence()

    def _connect(self) -> None:
        if self._port is None:
            return
        if self._player is not None:
            self._player.startTransmit(self._port)
        for recorder in (self._recorder, self._both):
            if recorder is not None:
                self._port.startTransmit(recorder)
        if self._player is not None and self._both is not None:
            self._player.startTransmit(self._both)
        if self._echo:
            self._port.startTransmit(self._port)
        self._account.connect_device(self._port)

    def play(self, path: str, *, loop: bool) -> None:
        """Send a WAV file to the far end (from now, or from when there is media)."""
        self._player = None  # frees the old one first
        self._player = Player(path, loop=loop, ended=lambda: self._note("played"))
        self._connect()

    def stop_playing(self) -> None:
        self._player = None

    def record(self, path: str, *, both: bool = False) -> None:
        """Write what is heard (``both``: and what we play) to a WAV file until ``stop_recording``."""
        recorder = pj.AudioMediaRecorder()
        recorder.createRecorder(path)
        self._files.append(Path(path))
        if both:
            self._both = recorder
        else:
            self._recorder = recorder
        self._connect()

    def stop_recording(self) -> list[Path]:
        """End the recordings and name their files; the library closes them on its next tick."""
        self._recorder = self._both = None
        files, self._files = self._files, []
        return files

    def loop_back(self, *, on: bool) -> None:
        """Return to the far end what it says, from now and after every change of media."""
        self._echo = on
        if self._port is not None:
            (self._port.startTransmit if on else self._port.stopTransmit)(self._port)

    def silence(self) -> None:
        self.stop_playing()
        self.stop_recording()

    # commands

    def start(self, uri: str, headers: Mapping[str, str], *, late_offer: bool = False) -> None:
        param = pj.CallOpParam(True)
        param.opt.audioCount, param.opt.videoCount = 1, 0
        if late_offer:
            param.opt.flag |= pj.PJSUA_CALL_NO_SDP_OFFER
        for name, value in headers.items():
            header = pj.SipHeader()
            header.hName, header.hValue = name, value
            param.txOption.headers.append(header)
        self.makeCall(uri, param)

    def respond(self, status: int) -> None:
        param = pj.CallOpParam(True)
        param.statusCode = status
        self.answer(param)

    def end(self, status: int = 0) -> None:
        if self.state == "disconnected":
            return
        param = pj.CallOpParam()
        param.statusCode = status
        self.hangup(param)

    def put_on_hold(self) -> None:
        self.setHold(pj.CallOpParam(True))

    def take_back(self) -> None:
        param = pj.CallOpParam(True)
        param.opt.flag |= pj.PJSUA_CALL_UNHOLD
        self.reinvite(param)

    def offer_again(self, method: str) -> None:
        """A re-INVITE or UPDATE with the same media."""
        param = pj.CallOpParam(True)
        if method == "UPDATE":
            self.update(param)
        else:
            self.reinvite(param)

    def digits_out(self, digits: str, method: DtmfMethod) -> None:
        param = pj.CallSendDtmfParam()
        param.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if method == "info" else pj.PJSUA_DTMF_METHOD_RFC2833
        param.digits, param.duration = digits, DIGIT_MS
        self.sendDtmf(param)

    def refer(self, uri: str) -> None:
        self.xfer(uri, pj.CallOpParam(True))

    def refer_replacing(self, other: PhoneCall) -> None:
        self.xferReplaces(other, pj.CallOpParam(True))

    def request(self, method: str, content_type: str, body: str) -> None:
        """Any request inside the call's dialog (INFO, MESSAGE, OPTIONS)."""
        param = pj.CallSendRequestParam()
        param.method = method
        param.txOption.contentType, param.txOption.msgBody = content_type, body
        self.sendRequest(param)

    def report(self) -> CallStatus:
        """How the call stands; of a call that is over, with the counters it had when last asked."""
        codec, sent, received, lost, delay = "", 0, 0, 0, 0.0
        if self._port is None:
            last = self._stream
            codec, sent, received = last.codec, last.sent_packets, last.received_packets
            lost, delay = last.lost_packets, last.round_trip_ms
        else:
            try:
                codec = self.getStreamInfo(0).codecName
                rtcp = self.getStreamStat(0).rtcp
            except pj.Error as error:
                raise SoftphoneError(error.info()) from error
            sent, received, lost = rtcp.txStat.pkt, rtcp.rxStat.pkt, rtcp.rxStat.loss
            delay = rtcp.rttUsec.last / 1000
        self._stream = CallStatus(
            self.number, self.state, self.status, self.reason, self.media, self.remote, self.call_id,
            codec, sent, received, lost, delay,
        )  # fmt: skip
        return self._stream
