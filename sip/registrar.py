"""The registrar: REGISTER requests of authenticated users to bindings (RFC 3261 section 10.3).

With Path (RFC 3327) and outbound (RFC 5626). Who the user is, and which addresses of record are his, the
caller has established. GRUU is not supported.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from sip.bindings import Binding, BindingStore
from sip.counters import Counters
from sip.errors import ParseError, SipError
from sip.flow import DEFAULT_PORTS, Address, Flow
from sip.grammar import parse_integer, split_list
from sip.message import MAX_EXPIRES, Request, Response, response_to
from sip.uri import NameAddr, Uri

SUPPORTED = ("path", "outbound")
"""Option tags a REGISTER may require of us."""

Forbidden = Callable[[str, int], bool]
"""Tells of a host and port that no contact may name: the engine's own."""

REMEMBERED = 20_000
"""Bindings taken back whose order of requests is still known; the oldest go first."""

_CONTACT_PARAMS = 16


@dataclass(frozen=True, slots=True)
class RegistrarSettings:
    """Limits; times in seconds."""

    default_expires: int = 3600
    min_expires: int = 60
    max_expires: int = 7200
    max_contacts: int = 10
    """An address of record (security reference C6)."""
    flow_timer: int = 120
    """Keep-alive asked of outbound clients (RFC 5626 section 6)."""


class Refusal(SipError):
    """A REGISTER that is not to have any effect; ``label`` is for the counters."""

    def __init__(self, status: int, label: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Say what to answer."""
        super().__init__(status, label)
        self.status = status
        self.label = label
        self.headers = headers


def address_of_record(uri: Uri) -> str:
    """Write a URI in the canonical form of addresses of record (RFC 3261 section 10.3, step 5)."""
    user = "" if uri.user_text is None else f"{uri.user_text}@"
    return f"sip:{user}{uri.host.lower()}"


class Registrar:
    """Binds contacts to addresses of record, in a store of the caller."""

    def __init__(
        self,
        store: BindingStore,
        *,
        settings: RegistrarSettings | None = None,
        forbidden: Forbidden = lambda host, port: False,
        canonical: Callable[[Uri], str] = address_of_record,
        counters: Counters | None = None,
    ) -> None:
        """Keep bindings in ``store``.

        Args:
            store: where bindings live.
            settings: limits.
            forbidden: tells of the engine's own addresses.
            canonical: the address of record a URI means; it may map the names of this host to one.
            counters: counts refusals by their reason.
        """
        self._store = store
        self._settings = settings or RegistrarSettings()
        self._forbidden = forbidden
        self._canonical = canonical
        self._counters = counters or Counters()
        self._removed: dict[tuple[str, str], tuple[int, float]] = {}
        self._sources: dict[Address, dict[str, float]] = {}
        self._streams: dict[int, set[str]] = {}

    def register(
        self,
        request: Request,
        user_aors: Collection[str],
        now: float,
        flow: Flow | None = None,
        *,
        to_tag: str | None = None,
        aor: str | None = None,
    ) -> Response:
        """Carry out a REGISTER of the user whose addresses of record are ``user_aors``; give the answer.

        aor: the one To means, where the caller has found that out; else ``canonical`` says.
        """
        try:
            aor = self._canonical(request.to.uri) if aor is None else aor
            if aor not in user_aors:
                raise Refusal(403, "register_foreign_aor")
            self._check_extensions(request)
            current = self._current(aor, now)
            if request.contact_star:
                updated = self._without_all(request, current, now)
            else:
                updated = self._updated(request, aor, current, now, flow)
        except Refusal as refusal:
            self._counters.count(refusal.label)
            return response_to(request, refusal.status, to_tag=to_tag, headers=refusal.headers)
        except ParseError as error:
            self._counters.count(f"register_malformed_{error.label}")
            return response_to(request, error.status, to_tag=to_tag)
        held = list(self._store.load(aor))
        if updated != held:
            self._save(aor, held, updated)
        return response_to(request, 200, to_tag=to_tag, headers=self._report(request, updated, now))

    def contacts(self, aor: str, now: float) -> list[Binding]:
        """List where ``aor`` can be reached: by q, then the youngest first."""
        return sorted(self._current(aor, now), key=lambda binding: (-binding.q, -binding.registered_at))

    def is_registered(self, flow: Flow, now: float) -> bool:
        """Tell whether somebody is registered over this flow: such sources have their own bucket (D2)."""
        return any(expires_at > now for expires_at in self._sources.get(flow.remote, {}).values())

    def flow_closed(self, flow: Flow, now: float) -> list[str]:
        """Take back what was bound over a connection that is gone (RFC 5626 section 5.3); whose they were.

        A contact behind it cannot be reached any more: the engine opens no connection to a registered
        address (security reference B5).
        """
        lost = []
        for aor in sorted(self._streams.pop(flow.connection, ())):
            current = self._current(aor, now)
            left = [one for one in current if one.flow is None or one.flow.connection != flow.connection]
            if left != current:
                self._save(aor, current, left)
                lost.append(aor)
        return lost

    # One REGISTER

    def _check_extensions(self, request: Request) -> None:
        unknown = [tag for tag in request.require if tag.lower() not in SUPPORTED]
        if unknown:
            raise Refusal(420, "register_extension", [("Unsupported", ", ".join(unknown))])

    def _without_all(self, request: Request, current: list[Binding], now: float) -> list[Binding]:
        """Carry out ``Contact: *`` (RFC 3261 section 10.3, step 6)."""
        if request.expires != 0:
            raise Refusal(400, "register_star")
        for binding in current:
            self._check_order(binding, request)
        for binding in current:
            self._remember_removed(binding, request, now)
        return []

    def _updated(
        self, request: Request, aor: str, current: list[Binding], now: float, flow: Flow | None
    ) -> list[Binding]:
        """Carry out the contacts, all or none (RFC 3261 section 10.3, step 7)."""
        wanted = [self._binding(request, aor, contact, now, flow) for contact in request.contacts]
        if sum(1 for binding in wanted if binding.reg_id is not None and binding.expires_at > now) > 1:
            raise Refusal(400, "register_many_reg_ids")  # RFC 5626 section 6
        bindings, removed = list(current), []
        for new in wanted:
            for old in [one for one in bindings if one.same_contact(new)]:
                self._check_order(old, request)
                bindings.remove(old)
                if new.expires_at <= now:
                    removed.append(old)
            if new.expires_at > now:
                self._check_not_removed(new, now)
                bindings.append(new)
        if len(bindings) > max(self._settings.max_contacts, len(current)):
            raise Refusal(403, "register_many_contacts")
        for old in removed:
            self._remember_removed(old, request, now)
        return bindings

    def _binding(
        self, request: Request, aor: str, contact: NameAddr, now: float, flow: Flow | None
    ) -> Binding:
        self._check_contact(contact.uri)
        instance, reg_id = self._outbound(request, contact, flow)
        path = _path(request)
        for hop in path:
            self._check_contact(NameAddr.parse(hop).uri)
        kept = [(name, value) for name, value in contact.params if name.lower() not in ("expires", "q")]
        return Binding(
            aor=aor,
            contact=str(contact.uri),
            expires_at=now + self._expires(request, contact),
            call_id=request.call_id,
            cseq=request.cseq.number,
            q=_q(contact.param("q")),
            params=tuple(kept[:_CONTACT_PARAMS]),
            path=path,
            instance_id=instance,
            reg_id=reg_id,
            flow=flow,
            user_agent=(request.headers.get("user-agent") or "")[:128],
            registered_at=now,
        )

    def _expires(self, request: Request, contact: NameAddr) -> int:
        """Grant an interval. Anything malformed counts as 3600 (RFC 3261 section 10.2.1.1)."""
        settings = self._settings
        text = contact.param("expires")
        if text is None:
            wanted = settings.default_expires if request.expires is None else request.expires
        else:
            try:
                wanted = parse_integer(text, MAX_EXPIRES, "expires_range")
            except ParseError:
                wanted = 3600
        if 0 < wanted < settings.min_expires:
            raise Refusal(423, "register_brief", [("Min-Expires", str(settings.min_expires))])
        return min(wanted, settings.max_expires)

    def _check_contact(self, uri: Uri) -> None:
        """Refuse what calls must never be sent to (security reference C6)."""
        if uri.scheme not in ("sip", "sips"):
            raise Refusal(400, "register_contact_scheme")
        transport = "tls" if uri.scheme == "sips" else (uri.param("transport") or "udp").lower()
        if self._forbidden(uri.host, uri.port or DEFAULT_PORTS.get(transport, 5060)):
            raise Refusal(403, "register_contact_host")
        try:
            address = ipaddress.ip_address(uri.host)
        except ValueError:
            return
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if address.is_multicast or address.is_unspecified or str(address) == "255.255.255.255":
            raise Refusal(403, "register_contact_host")

    def _outbound(
        self, request: Request, contact: NameAddr, flow: Flow | None
    ) -> tuple[str | None, int | None]:
        """Read instance and reg-id, when they are to be followed (RFC 5626 section 6)."""
        instance = contact.param("+sip.instance") or None
        text = contact.param("reg-id")
        if instance is None or text is None:
            return instance, None
        reg_id = parse_integer(text, 2**31 - 1, "reg_id")
        if reg_id == 0:
            raise ParseError("reg_id", "expected 1 or more")
        if flow is not None and flow.connection == 0:
            return instance, None  # kept alive by STUN, which this port does not speak: an ordinary contact
        if not _first_hop_has_flow(request):
            if _tagged(request.supported, "outbound"):
                raise Refusal(439, "register_first_hop")
            return instance, None
        return instance, reg_id

    def _check_order(self, old: Binding, request: Request) -> None:
        if old.call_id == request.call_id and request.cseq.number <= old.cseq:
            raise Refusal(500, "register_order")

    def _check_not_removed(self, new: Binding, now: float) -> None:
        """Refuse the captured REGISTER of a client that has since unregistered (security reference C6)."""
        cseq, until = self._removed.get((new.aor, new.call_id), (-1, 0.0))
        if now < until and new.cseq <= cseq:
            raise Refusal(500, "register_order")

    def _remember_removed(self, old: Binding, request: Request, now: float) -> None:
        while self._removed:
            key = next(iter(self._removed))
            if self._removed[key][1] > now and len(self._removed) < REMEMBERED:
                break
            del self._removed[key]
        cseq = request.cseq.number if request.call_id == old.call_id else old.cseq
        self._removed[old.aor, old.call_id] = cseq, old.expires_at

    def _report(self, request: Request, bindings: list[Binding], now: float) -> list[tuple[str, str]]:
        """Write the headers of the 200: every binding there is (RFC 3261 section 10.3, step 8)."""
        headers = [("Contact", binding.value(now)) for binding in bindings]
        headers += [("Path", value) for value in request.headers.get_all("path")]
        ours = [one for one in bindings if one.call_id == request.call_id and one.cseq == request.cseq.number]
        if any(binding.reg_id is not None for binding in ours):
            headers += [("Require", "outbound"), ("Flow-Timer", str(self._settings.flow_timer))]
        return [*headers, ("Supported", ", ".join(SUPPORTED))]

    # The store, and who is where

    def _current(self, aor: str, now: float) -> list[Binding]:
        return [binding for binding in self._store.load(aor) if binding.expires_at > now]

    def _save(self, aor: str, old: list[Binding], new: list[Binding]) -> None:
        if new:
            self._store.save(aor, new)
        else:
            self._store.delete(aor)
        for binding in old:
            if binding.flow is not None:
                self._forget_source(binding.flow.remote, aor)
        for binding in new:
            self._note_flow(binding)

    def _note_flow(self, binding: Binding) -> None:
        if binding.flow is None:
            return
        held = self._sources.setdefault(binding.flow.remote, {})
        held[binding.aor] = max(binding.expires_at, held.get(binding.aor, 0.0))
        if binding.flow.connection:
            self._streams.setdefault(binding.flow.connection, set()).add(binding.aor)

    def _forget_source(self, remote: Address, aor: str) -> None:
        held = self._sources.get(remote, {})
        held.pop(aor, None)
        if not held:
            self._sources.pop(remote, None)


def _first_hop_has_flow(request: Request) -> bool:
    """Tell whether the client itself, or an edge proxy that keeps its flow, speaks to us."""
    if len(request.vias) == 1:
        return True
    path = _path(request)
    return bool(path) and NameAddr.parse(path[-1]).uri.has_param("ob")


def _path(request: Request) -> tuple[str, ...]:
    """Read the Path values; RFC 3327 section 5.3: the hop next to us comes first."""
    values = [
        element for value in request.headers.get_all("path") for element in split_list(value) if element
    ]
    return tuple(values)


def _q(text: str | None) -> int:
    """Read a qvalue in thousandths; a malformed one counts as none at all."""
    if text is None:
        return 1000
    whole, _, fraction = text.partition(".")
    if whole not in ("0", "1") or len(fraction) > 3 or not (fraction or "0").isdigit() or not text.isascii():
        return 1000
    return min(1000, int(whole) * 1000 + int(fraction.ljust(3, "0")))


def _tagged(tags: Sequence[str], tag: str) -> bool:
    return any(one.lower() == tag for one in tags)
