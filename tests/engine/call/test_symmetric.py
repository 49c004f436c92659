"""Which calls may share a worker's port, by what their peer was declared to be (RFC 4961), on a paper network."""

from __future__ import annotations

import pytest

from engine.store import Link
from tests.engine.call.town import ECHO, PaperLeg, Town, sdp

NETWORKS = {"media.symmetric_from": '["192.0.2.64/26"]'}
PBX = Link(name="pbx", host="198.51.100.7", register=False, symmetric=True, id=1)


def opened(town: Town) -> list[PaperLeg]:
    """The legs, as they were asked for: ``modify`` of a paper leg writes over it, so the media holds the answers."""
    return town.media.legs


@pytest.mark.parametrize(("host", "shared"), [("192.0.2.70", True), ("192.0.2.10", False)])
def test_callers_of_the_networks_named_share(host: str, shared: bool) -> None:
    """The leg is asked for with the source the offer names; others are asked for without one."""
    town = Town(settings=NETWORKS)
    town.media.holds = True
    town.phone("200", host).dial(ECHO)
    (leg,) = opened(town)
    assert leg.spec.symmetric is shared
    assert leg.remote == ((host, 4000) if shared else (None, None))
    assert leg.spec.codec is None, "nothing is negotiated yet"


@pytest.mark.parametrize("symmetric", [True, False])
def test_calls_of_a_link_share_when_it_is_declared_so(symmetric: bool) -> None:
    """What the store says of the link decides, not where it is."""
    town = Town()
    parts = town.parts
    town.media.holds = True
    parts.links.link_at = lambda host, transport: "pbx" if host == PBX.host else None  # type: ignore[method-assign]
    parts.services.symmetric_links = frozenset({"pbx"} if symmetric else ())
    town.phone("200", PBX.host).dial(ECHO)
    assert opened(town)[0].spec.symmetric is symmetric


def test_the_links_say_which_of_them_are_symmetric() -> None:
    """The declaration comes out of the store with the others."""
    town = Town(links=(PBX, Link(name="other", host="198.51.100.8", register=False, id=2)))
    assert town.parts.services.symmetric_links == {"pbx"}


def test_who_does_not_say_where_from_does_not_share() -> None:
    """Without an offer, or with its stream switched off, the source is not known."""
    town = Town(settings=NETWORKS)
    town.media.holds = True
    phone = town.phone("200", "192.0.2.70")
    phone.dial(ECHO, offer=None)
    phone.dial(ECHO, offer=sdp("192.0.2.70", 0))
    assert [leg.spec.symmetric for leg in opened(town)] == [False, False]
