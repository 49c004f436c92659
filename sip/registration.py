"""One address of record kept registered at one registrar (RFC 3261 section 10.2).

Sans-I/O: a command or a response in, requests and changes of state out. Path (RFC 3327), Service-Route
(RFC 3608) and outbound (RFC 5626) as a client. Who may send when is decided a level up, in
``sip.registration_group``: here ``deadline`` says from when on this client would like to.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sip.credentials import MAX_ANSWERS, Credentials
from sip.errors import ParseError
from sip.grammar import parse_integer, split_list
from sip.message import MAX_EXPIRES, Request, Response
from sip.registration_times import RegistrationSettings, retry_after, retry_wait
from sip.uri import NameAddr, Uri

FORGIVEN = 2
"""Refusals taken lightly by a client that was registered before: a registrar that has just started knows
neither its old nonces nor, for some seconds, its users."""

QUESTION_TIMEOUT = 4.0
"""Seconds for an answer to a question; four transmissions over UDP. A request that matters has Timer F."""

_PASSING = frozenset({480, 491})
_LOCKING = frozenset({401, 403, 404, 407})


class RegistrationState(enum.Enum):
    """What a client is up to; the value is shown to people."""

    UNREGISTERED = "unregistered"
    REGISTERING = "registering"
    REGISTERED = "registered"
    FAILED = "failed"  # and trying again
    UNREGISTERING = "unregistering"


class Trouble(enum.Enum):
    """Why a client is FAILED; decides how long it waits and whether a sign of life calls it back."""

    UNREACHABLE = "unreachable"
    UNAVAILABLE = "unavailable"  # the registrar answers, but 5xx
    REFUSED = "refused"  # 403, 404, a wrong password: repeating it gets us locked out


@dataclass(frozen=True, slots=True)
class SendRegister:
    """Send this REGISTER, then tell the client what became of it; ``timeout``: sooner than its transaction ends."""

    request: Request
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The client is in another state, or fails for another reason."""

    state: RegistrationState
    since: float
    error: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The registrar was asked what it knows: ``kept`` tells whether it still has our binding."""

    kept: bool


RegistrationOutput = SendRegister | StateChanged | Verified


class _Purpose(enum.Enum):
    REGISTER = enum.auto()
    VERIFY = enum.auto()
    UNREGISTER = enum.auto()


class RegistrationClient:
    """Keeps one contact bound to one address of record."""

    def __init__(
        self,
        *,
        aor: NameAddr,
        registrar: Uri,
        contact: NameAddr,
        call_id: str,
        from_tag: str,
        random: Callable[[], float],
        credentials: Credentials | None = None,
        next_hop: Uri | None = None,
        settings: RegistrationSettings | None = None,
    ) -> None:
        """Describe the registration; nothing is sent before ``start``.

        Args:
            aor: what From and To name.
            registrar: the Request-URI, a domain without a user.
            contact: where requests to the address are to come.
            call_id: the same for all registrations of this process life (RFC 3261 section 10.2).
            from_tag: a random tag.
            random: numbers from 0 to below 1, for jitter.
            credentials: for the registrar's realm.
            next_hop: where to send when it is not where the Request-URI leads; for the driver.
            settings: times and outbound identity.
        """
        self.aor = aor
        self.next_hop = next_hop
        self.state = RegistrationState.UNREGISTERED
        self.since = 0.0
        self.last_error: str | None = None
        self.trouble: Trouble | None = None
        self.confirmed_at: float | None = None
        self.expires_at: float | None = None
        self.service_route: tuple[NameAddr, ...] = ()
        self.path: tuple[str, ...] = ()
        self.outbound = False
        self.keep_alive: int | None = None
        self.listed = False
        self.deadline: float | None = None
        self._registrar = registrar
        self._contact = contact
        self._call_id = call_id
        self._from = aor.without_params().with_tag(from_tag)
        self._random = random
        self.credentials = credentials
        self._settings = settings or RegistrationSettings()
        self._expires = self._settings.expires
        self._offers_outbound = self._settings.instance_id is not None
        self._cseq = 0
        self._pending: tuple[Request, _Purpose] | None = None
        self._stopping = False
        self._failures = 0
        self._forgiven = 0  # refusals still to be taken for the troubles of a registrar that starts
        self._not_before = 0.0
        self._outputs: list[RegistrationOutput] = []

    @property
    def waiting(self) -> bool:
        """Whether a request is out and not answered."""
        return self._pending is not None

    @property
    def asking(self) -> bool:
        """Whether the request that is out is but a question."""
        return self._pending is not None and self._pending[1] is _Purpose.VERIFY

    # Commands

    def start(self, now: float) -> None:
        """Register as soon as the driver lets us, and stay registered."""
        self._stopping = False
        if self._pending is None:
            self.deadline = now
        if self.state is RegistrationState.UNREGISTERED:
            self._enter(RegistrationState.REGISTERING, now)

    def stop(self, now: float) -> None:
        """Unregister, when there is something to take back, and stay so."""
        self._stopping = True
        self.deadline = None
        if self._pending is None:
            self._go_on_stopping(now)

    def retry(self, now: float, *, forced: bool = False) -> None:
        """Stop waiting: there was a sign of life. A refused client is moved by ``forced`` (a person) only."""
        if self.state is not RegistrationState.FAILED or self._pending is not None:
            return
        if forced or self.trouble is not Trouble.REFUSED:
            self.deadline = now if forced else max(now, self._not_before)

    def refresh(self, now: float) -> None:
        """Register again before it is time: the flow was lost, or the registrar forgot us."""
        if self.state is RegistrationState.REGISTERED and self._pending is None:
            self.deadline = now if self.deadline is None else min(now, self.deadline)

    def lose(self, reason: str, now: float) -> None:
        """Hear that the registrar is dead, from others who got no answer; try again like after a failure."""
        if self.state not in (RegistrationState.REGISTERED, RegistrationState.REGISTERING):
            return
        if self._pending is None:
            self._fail(Trouble.UNREACHABLE, reason, now)
        else:  # what is out may still find it alive
            self.trouble = Trouble.UNREACHABLE
            self._enter(RegistrationState.FAILED, now, reason)

    def verify(self, now: float) -> None:
        """Ask the registrar for its bindings, changing none (RFC 3261 section 10.2.3)."""
        if self.state is RegistrationState.REGISTERED and self._pending is None:
            self._send(_Purpose.VERIFY)

    # What arrives

    def handle_timer(self, now: float) -> None:
        """Register when it is time."""
        if self.deadline is not None and now >= self.deadline and self._pending is None:
            self.deadline = None
            self._send(_Purpose.REGISTER)

    def receive_response(self, response: Response, now: float) -> None:
        """Take the final response to the request sent last; anything else is ignored."""
        if self._pending is None or response.status < 200:
            return
        request, purpose = self._pending
        # The driver may have answered challenges itself: each repetition has the next CSeq.
        repeated = response.cseq.number - request.cseq.number
        if response.call_id != request.call_id or not 0 <= repeated <= MAX_ANSWERS:
            return
        self._cseq = response.cseq.number
        self._pending = None
        if self._repeated(request, purpose, response, now):
            return
        if purpose is _Purpose.UNREGISTER:
            self._enter(RegistrationState.UNREGISTERED, now)
        elif purpose is _Purpose.VERIFY:
            self._verified(response, now)
        elif response.status < 300:
            self._registered(response, now)
        else:
            self._rejected(response, now)
        self._go_on(purpose, now)

    def request_failed(self, reason: str, now: float) -> None:
        """Take that the request drew no answer: ``reason`` is a stable label, "timeout" or "transport".

        A question without answer is the group's to think about; our binding may be as good as ever.
        """
        if self._pending is None:
            return
        _, purpose = self._pending
        self._pending = None
        if purpose is _Purpose.UNREGISTER:
            self._enter(RegistrationState.UNREGISTERED, now)
        elif purpose is _Purpose.REGISTER:
            self._fail(Trouble.UNREACHABLE, reason, now)
        self._go_on(purpose, now)

    def take_outputs(self) -> list[RegistrationOutput]:
        """Hand over what is to be sent and told, oldest first."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # How it goes on

    def _repeated(self, request: Request, purpose: _Purpose, response: Response, now: float) -> bool:
        """Send the request again as the response asks for; False when the response stands."""
        if self._stopping and purpose is not _Purpose.UNREGISTER:
            return False
        if response.status in (401, 407) and self.credentials is not None:
            answer = self.credentials.answer(response, request, now)
            if answer is None:
                return False
            repeated = request.copy()
            repeated.headers.remove("Via")
            repeated.headers.set(*answer)
            self._transmit(repeated, purpose)
            return True
        if purpose is not _Purpose.REGISTER:
            return False
        if response.status == 423 and self._lengthened(response):
            self._send(purpose)
            return True
        if response.status == 439 and self._offers_outbound:
            self._offers_outbound = False  # RFC 5626 section 4.2.1: register without
            self._send(purpose)
            return True
        return False

    def _lengthened(self, response: Response) -> bool:
        """Take the interval of Min-Expires (RFC 3261 section 10.2.8), when it is longer and bearable."""
        least = _number(response.headers.get("min-expires"))
        if least is None or not self._expires < least <= self._settings.longest_expires:
            return False
        self._expires = least
        return True

    def _registered(self, response: Response, now: float) -> None:
        granted = self._granted(response)
        if not granted:
            self._fail(Trouble.UNAVAILABLE, "nothing granted", now)
            return
        first, last = self._settings.refresh
        fraction = first + (last - first) * self._random()
        self.deadline = now + max(1.0, granted * fraction)
        self.expires_at = now + granted
        self.confirmed_at = now
        self.trouble = None
        self._failures = 0
        self._forgiven = FORGIVEN
        self._not_before = 0.0
        self.service_route = _routes(response.headers.get_all("service-route"))
        self.path = tuple(response.headers.get_all("path"))
        self.outbound = self._offers_outbound and "outbound" in response.require
        self.keep_alive = _number(response.headers.get("flow-timer")) if self.outbound else None
        self._enter(RegistrationState.REGISTERED, now)

    def _granted(self, response: Response) -> int:
        """Find for how long we are bound: our Contact's own expires, else Expires, else what we asked."""
        ours = self._our_contact(response)
        self.listed = ours is not None
        granted = _number(ours.param("expires")) if ours else None
        if granted is None:
            granted = self._expires if response.expires is None else response.expires
        return granted

    def _our_contact(self, response: Response) -> NameAddr | None:
        return next((found for found in response.contacts if found.uri.equivalent(self._contact.uri)), None)

    def _rejected(self, response: Response, now: float) -> None:
        status = response.status
        error = f"{status} {response.reason}".rstrip()
        wait = retry_after(response.headers.get("retry-after"))
        if status in (408, 430):
            trouble = Trouble.UNREACHABLE  # of the registrar behind a proxy
        elif 500 <= status < 600 or status in _PASSING or (wait is not None and status not in _LOCKING):
            trouble = Trouble.UNAVAILABLE
        elif self._forgiven:
            self._forgiven -= 1
            trouble = Trouble.UNAVAILABLE
        else:
            trouble = Trouble.REFUSED
        self._fail(trouble, error, now, wait or 0.0)

    def _verified(self, response: Response, now: float) -> None:
        if response.status in (408, 503):
            self._rejected(response, now)
        elif response.status < 300:
            kept = self._our_contact(response) is not None
            if kept:
                self.confirmed_at = now
            else:
                self.refresh(now)
            self._outputs.append(Verified(kept))
        # Anything else: this registrar does not tell its bindings; ours is none the worse for it.

    def _fail(self, trouble: Trouble, error: str, now: float, wait: float = 0.0) -> None:
        if trouble is not self.trouble:
            self._failures = 0
        self.trouble = trouble
        backoff = retry_wait(self._settings, trouble is Trouble.REFUSED, self._failures, self._random())
        self._failures += 1
        # Jitter on top of Retry-After: the others were told the same.
        self._not_before = now + wait * (1 + 0.1 * self._random())
        self.deadline = max(now + backoff, self._not_before)
        self._enter(RegistrationState.FAILED, now, error)

    def _go_on(self, purpose: _Purpose, now: float) -> None:
        """Do what was commanded while a request was out."""
        if self._stopping:
            self._go_on_stopping(now)
        elif purpose is _Purpose.UNREGISTER:
            self.start(now)

    def _go_on_stopping(self, now: float) -> None:
        self.deadline = None
        if self.expires_at is not None and now < self.expires_at:
            self._enter(RegistrationState.UNREGISTERING, now)
            self.expires_at = None
            self._send(_Purpose.UNREGISTER)
        elif self.state is not RegistrationState.UNREGISTERED:
            self._enter(RegistrationState.UNREGISTERED, now)

    def _enter(self, state: RegistrationState, now: float, error: str | None = None) -> None:
        if state is RegistrationState.UNREGISTERED:
            self.expires_at = self.confirmed_at = self.trouble = None
            self.service_route, self.path = (), ()
        if (state, error) == (self.state, self.last_error):
            return
        if state is not self.state:
            self.since = now
        self.state, self.last_error = state, error
        self._outputs.append(StateChanged(state, self.since, error))

    # Requests

    def _send(self, purpose: _Purpose) -> None:
        supported = ["path"]
        headers = [
            ("Max-Forwards", "70"),
            ("From", str(self._from)),
            ("To", str(self.aor.without_params())),
            ("Call-ID", self._call_id),
            ("CSeq", "0 REGISTER"),
        ]
        if purpose is not _Purpose.VERIFY:
            contact = self._contact
            if self._offers_outbound:
                supported.append("outbound")
                contact = contact.with_param("+sip.instance", f"<{self._settings.instance_id}>")
                contact = contact.with_param("reg-id", str(self._settings.reg_id))
            expires = self._expires if purpose is _Purpose.REGISTER else 0
            headers += [("Contact", str(contact)), ("Expires", str(expires))]
        headers.append(("Supported", ", ".join(supported)))
        self._transmit(Request("REGISTER", str(self._registrar), headers), purpose)

    def _transmit(self, request: Request, purpose: _Purpose) -> None:
        self._cseq += 1
        request.headers.set("CSeq", f"{self._cseq} REGISTER")
        self._pending = request, purpose
        timeout = QUESTION_TIMEOUT if purpose is _Purpose.VERIFY else None
        self._outputs.append(SendRegister(request, timeout))


def _number(text: str | None) -> int | None:
    """Read delta-seconds that may be missing or broken: then there is none."""
    try:
        return None if text is None else parse_integer(text.strip(), MAX_EXPIRES, "expires_range")
    except ParseError:
        return None


def _routes(values: Sequence[str]) -> tuple[NameAddr, ...]:
    """Read Service-Route; a broken one is no route."""
    try:
        return tuple(NameAddr.parse(element) for value in values for element in split_list(value))
    except ParseError:
        return ()
