"""The number plan of each company, and which company a request is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from engine.call.numbers import NumberPlan, clean_number
from engine.domain.scope import DEFAULT_COMPANY, company_of, scoped

if TYPE_CHECKING:
    from sip.message import Request
    from sip.uri import Uri

OURSELVES = "engine"
"""The class of what we send to ourselves: a call of an automate of ours."""
COMPANY = "company"
"""The URI parameter that says whose automate is called: in calls to ourselves, and in what PBXs know of automates.

From a PBX it chooses among the links of its own address; from anybody else it means nothing.
"""

_EMPTY = NumberPlan()


class NumberPlans:
    """All plans, replaced as a whole when numbers change. ``lines``: the scoped numbers of every company's lines."""

    def __init__(
        self,
        plans: Mapping[int, NumberPlan] | None = None,
        sip_domains: Mapping[str, int] | None = None,
    ) -> None:
        """sip_domains: the company of each SIP domain, which is written in lower case."""
        self._plans = dict(plans or {})
        self._sip_domains = dict(sip_domains or {})
        self.lines = frozenset(
            scoped(number, company) for company, plan in self._plans.items() for number in plan.lines
        )

    def of(self, company: int) -> NumberPlan:
        """The plan of a company; an empty one for a company without numbers."""
        return self._plans.get(company, _EMPTY)

    # ---- whom a request concerns

    def company_at(self, host: str) -> int | None:
        """The company that has this SIP domain, if any has."""
        return self._sip_domains.get(host.lower())

    def company_called(self, uri: Uri) -> int:
        """The company whose numbers a Request-URI is about, when nothing else says whose the call is."""
        return self.company_at(uri.host) or DEFAULT_COMPANY

    def company_claimed(self, by: Uri, request: Request) -> int:
        """The company in whose name the address ``by`` of a request speaks: its host's, else the Request-URI's."""
        return self.company_at(by.host) or self.company_called(request.request_uri)

    def company_of_call(self, identity: str | None, peer_class: str | None, request: Request) -> int:
        """Whose call this is: its line's, else its link's, else the called SIP domain's."""
        if identity is not None:
            return company_of(identity)
        kind, _, link = (peer_class or "").partition(":")
        if kind == "link":
            return company_of(link)
        if kind == OURSELVES:
            return int(request.request_uri.param(COMPANY) or DEFAULT_COMPANY)
        return self.company_called(request.request_uri)

    def link_of(self, links: Sequence[str], uri: Uri) -> str:
        """Which of the links that share an address (scoped names) a call to ``uri`` came over; else the first."""
        named = uri.param(COMPANY) or ""
        company = int(named) if named.isdecimal() else self.company_at(uri.host)
        return next((each for each in links if company_of(each) == company), links[0])

    def names_a_line(self, request: Request) -> bool:
        """Whether the caller gives a line's number for its own, however it writes it, where it says or calls."""
        caller = request.from_.uri
        number = clean_number(caller.user_text or "")
        if number is None or not self.lines:
            return False
        claimed = self.company_claimed(caller, request)
        called = self.company_called(request.request_uri)
        return scoped(number, claimed) in self.lines or scoped(number, called) in self.lines
