"""A 2xx to an INVITE on its way: repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

from __future__ import annotations

from collections.abc import Callable

from sip.message import Response
from sip.session.context import Context
from sip.session.outputs import Respond, ServerKey

RESEND, GIVE_UP = "2xx resend", "2xx give up"
TIMERS = (RESEND, GIVE_UP)


class Accepted:
    """Repeats the response at T1, doubling up to T2, for 64*T1; over TCP as well, for a later hop may be UDP.

    Only one can be under way: an INVITE that comes while another is not acknowledged is refused.
    """

    __slots__ = ("_context", "_key", "_on_ack", "_on_silence", "_response", "_wait", "cseq")

    def __init__(
        self,
        context: Context,
        key: ServerKey,
        response: Response,
        *,
        on_ack: Callable[[bytes | None, float], None],
        on_silence: Callable[[float], None],
        now: float,
    ) -> None:
        self.cseq = response.cseq.number
        self._context = context
        self._key = key
        self._response = response
        self._on_ack = on_ack
        self._on_silence = on_silence
        self._wait = context.settings.t1
        context.timers.set(RESEND, now + self._wait, self._resend)
        context.timers.set(GIVE_UP, now + context.settings.give_up, self._give_up)

    def acknowledged(self, sdp: bytes | None, now: float) -> None:
        """Stop: the ACK is here."""
        self.stop()
        self._on_ack(sdp, now)

    @property
    def response(self) -> Response:
        """The 2xx."""
        return self._response

    def stop(self) -> None:
        """Stop repeating."""
        for name in TIMERS:
            self._context.timers.cancel(name)

    def _resend(self, now: float) -> None:
        self._context.outputs.append(Respond(self._key, self._response))
        self._wait = min(2 * self._wait, self._context.settings.t2)
        self._context.timers.set(RESEND, now + self._wait, self._resend)

    def _give_up(self, now: float) -> None:
        self.stop()
        self._on_silence(now)
