"""The phones registered with us: our registrar's bindings, in memory for the calls, in the store for the next start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.status import LineStatus
from sip.registrar import Registrar, RegistrarSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.numbering import Numbering
    from engine.store import Store
    from engine.store_thread import StoreThread
    from sip.bindings import Binding
    from sip.endpoint import Endpoint
    from sip.flow import Flow
    from sip.message import Request
    from sip.transaction.server import ServerTransaction


class WrittenBehind:
    """Bindings in memory, every change handed on to be written (a :class:`sip.bindings.BindingStore`)."""

    def __init__(self) -> None:
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self.changed: Callable[[str, Sequence[Binding]], None] = lambda aor, bindings: None

    def load(self, aor: str) -> Sequence[Binding]:
        """The bindings of a number."""
        return self._bindings.get(aor, ())

    def save(self, aor: str, bindings: Sequence[Binding]) -> None:
        """Replace the bindings of a number."""
        self._bindings[aor] = tuple(bindings)
        self.changed(aor, bindings)

    def delete(self, aor: str) -> None:
        """Forget a number's bindings."""
        if self._bindings.pop(aor, None) is not None:
            self.changed(aor, ())

    def restore(self, bindings: Sequence[Binding]) -> None:
        """Take what an earlier process stored."""
        for binding in bindings:
            self._bindings[binding.aor] = (*self._bindings.get(binding.aor, ()), binding)

    def lines(self) -> list[str]:
        """Who has bindings."""
        return list(self._bindings)


class LineRegistrations:
    """The registrar as the engine uses it. A line's scoped number is its address of record: a host has many names."""

    def __init__(
        self,
        endpoint: Endpoint,
        seconds: Callable[[], float],
        settings: RegistrarSettings,
        is_ours: Callable[[str, int], bool],
    ) -> None:
        """``is_ours`` tells of a host and port of the engine itself: a contact there would be a loop (C6)."""
        self._endpoint = endpoint
        self._seconds = seconds
        self._bindings = WrittenBehind()
        self.registrar = Registrar(
            self._bindings,
            settings=settings,
            forbidden=is_ours,
            counters=endpoint.counters,
        )

    async def load(self, thread: StoreThread, store: Store) -> None:
        """Take the stored bindings, and store every change from now on."""
        self._bindings.restore(await thread.call(store.bindings.all, self._seconds()))

        def changed(aor: str, bindings: Sequence[Binding]) -> None:
            thread.later("storing a registration", store.bindings.replace, aor, bindings, self._seconds())

        self._bindings.changed = changed

    def register(self, request: Request, transaction: ServerTransaction, flow: Flow, line: str) -> None:
        """Carry out the REGISTER of a line (its scoped number), which admission found To to name."""
        response = self.registrar.register(request, {line}, self._seconds(), flow, aor=line)
        self._endpoint.respond(transaction, response)
        self._endpoint.forget_peer_classes()

    def forget(self, lines: frozenset[str]) -> None:
        """Drop the bindings of what is no line any more: all but ``lines`` (scoped numbers)."""
        for line in self._bindings.lines():
            if line not in lines:
                self._bindings.delete(line)

    def connection_lost(self, flow: Flow) -> None:
        """Phones registered over a connection that is gone cannot be reached until they register anew."""
        if flow.connection and self.registrar.flow_closed(flow, self._seconds()):
            self._endpoint.forget_peer_classes()

    def is_registered(self, flow: Flow) -> bool:
        """Whether a phone is registered over this flow."""
        return self.registrar.is_registered(flow, self._seconds())

    @property
    def registered(self) -> int:
        """How many lines have a phone."""
        now = self._seconds()
        return sum(bool(self.registrar.contacts(line, now)) for line in self._bindings.lines())

    def states(self, numbering: Numbering) -> list[LineStatus]:
        """Every line and where its phones are."""
        now = self._seconds()
        return [
            LineStatus(
                each.number,
                tuple(found.contact for found in self.registrar.contacts(each.key, now)),
                numbering.company_uids.get(each.company_id, ""),
            )
            for each in numbering.lines
        ]
