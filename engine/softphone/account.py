"""The softphone's one account: registration state, and every call that was ever made or received on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.softphone import pj
from engine.softphone.calls import PhoneCall
from engine.softphone.settings import PhoneEvent, PhoneSettings

if TYPE_CHECKING:
    from collections.abc import Callable

TIMERS = {
    "off": pj.PJSUA_SIP_TIMER_INACTIVE,
    "optional": pj.PJSUA_SIP_TIMER_OPTIONAL,
    "required": pj.PJSUA_SIP_TIMER_REQUIRED,
    "always": pj.PJSUA_SIP_TIMER_ALWAYS,
}
RELIABLE = {
    "off": pj.PJSUA_100REL_NOT_USED,
    "optional": pj.PJSUA_100REL_OPTIONAL,
    "required": pj.PJSUA_100REL_MANDATORY,
}

SRTP = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}


def account_config(settings: PhoneSettings, uri: str, transport_id: int, *, ipv6: bool) -> pj.AccountConfig:
    """Translate our settings. The phone never registers by itself: ``register`` asks for it."""
    config = pj.AccountConfig()
    config.idUri = uri
    config.regConfig.registrarUri = settings.registrar
    config.regConfig.registerOnAdd = False
    config.regConfig.timeoutSec = settings.expires
    config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = 2
    config.regConfig.unregWaitMsec = 500
    if settings.user:
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", settings.user, 0, settings.password))
    config.sipConfig.transportId = transport_id
    config.callConfig.prackUse = RELIABLE[settings.reliable]
    config.callConfig.timerUse = TIMERS[settings.session_timer]
    config.callConfig.timerSessExpiresSec = settings.session_expires
    config.mediaConfig.transportConfig.boundAddress = settings.host
    config.mediaConfig.srtpUse = SRTP[settings.srtp]
    config.mediaConfig.srtpSecureSignaling = 0
    if settings.srtp != "off":
        config.mediaConfig.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
        for suite in settings.suites:
            crypto = pj.SrtpCrypto()
            crypto.name = suite
            config.mediaConfig.srtpOpt.cryptos.append(crypto)
    if ipv6:
        config.sipConfig.ipv6Use = config.mediaConfig.ipv6Use = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY
    return config


class PhoneAccount(pj.Account):
    """Keeps a reference to every call until the phone closes: the garbage collector must never end one
    (pjproject issues 3616 and 3856)."""

    def __init__(
        self,
        note: Callable[[PhoneEvent], None],
        answer_with: int,
        connect_device: Callable[[pj.AudioMedia], None],
    ) -> None:
        super().__init__()
        self.note = note
        self.connect_device = connect_device
        self.calls: list[PhoneCall] = []
        self.registered = False
        self.registration_status = 0
        self.registration_reason = ""
        self._answer_with = answer_with
        self._to_answer: list[PhoneCall] = []

    def new_call(self, library_id: int | None = None) -> PhoneCall:
        call = PhoneCall(self, len(self.calls), library_id)
        self.calls.append(call)
        return call

    def call_of(self, library_id: int) -> PhoneCall | None:
        """The newest call the library knows by that number (it uses numbers again)."""
        return next((call for call in reversed(self.calls) if call.getId() == library_id), None)

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:
        call = self.new_call(prm.callId)
        call.refresh()
        self.note(PhoneEvent("incoming", call.number, call.remote))
        if self._answer_with:
            self._to_answer.append(call)

    def onRegState(self, prm: pj.OnRegStateParam) -> None:
        self.registered = prm.code // 100 == 2 and prm.expiration > 0
        self.registration_status, self.registration_reason = prm.code, prm.reason
        self.note(PhoneEvent("registration", -1, prm.reason, prm.code, "active" if self.registered else ""))

    def onInstantMessage(self, prm: pj.OnInstantMessageParam) -> None:
        self.note(PhoneEvent("message", -1, prm.msgBody))

    def settle(self) -> None:
        """Do what the callbacks left to do: answer what is to be answered, connect sound."""
        waiting, self._to_answer = self._to_answer, []
        for call in waiting:
            call.respond(self._answer_with)
        for call in self.calls:
            call.settle()

    def silence(self) -> None:
        for call in self.calls:
            call.silence()
