"""How digits travel on a link: offered, heard, and passed on as the link wants them."""

from __future__ import annotations

import pytest

from engine.call.dtmf import in_the_sound, without_events
from engine.store import DTMF_MODES, DtmfMode, Link
from media.control import DigitReceived
from sip.offer_answer import PCMU, TELEPHONE_EVENT
from sip.session.outputs import InfoReceived
from tests.engine.call.town import PASSWORD, Phone, Town

ALICE = "1001"


def call_over(mode: DtmfMode) -> tuple[Town, Phone, Phone]:
    """Alice talks to somebody behind a link of that mode; her leg is the first."""
    link = Link(
        id=1, name="pbx", host="192.0.2.90", port=5060, register=False, dialled_prefixes="9", dtmf=mode
    )
    town = Town(lines=(ALICE,), links=(link,))
    alice, pbx = town.phone(ALICE, "192.0.2.11", registered=True), town.phone("pbx", link.host)
    alice.dial("90001", password=PASSWORD)
    town.pass_time(0.2)
    return town, alice, pbx


@pytest.mark.parametrize("mode", DTMF_MODES)
def test_telephone_event_is_offered_where_it_is_to_be_used(mode: DtmfMode) -> None:
    """Not over a link whose digits travel by INFO or in the sound."""
    _, _, pbx = call_over(mode)
    offered = b"telephone-event" in pbx.last_invite().body
    assert offered is (mode in ("auto", "rfc4733"))


@pytest.mark.parametrize("mode", DTMF_MODES)
def test_a_digit_goes_on_as_the_link_wants_it(mode: DtmfMode) -> None:
    """By INFO in a request of its own; otherwise the leg carries it, or a digit that came by INFO is put there."""
    town, alice, pbx = call_over(mode)
    ours, theirs = town.media.legs
    ours.happens(DigitReceived(leg=ours.id, digit="7", duration_ms=100))
    alice.call.info("application/dtmf-relay", b"Signal=8\r\nDuration=160\r\n")
    town.pass_time(0.2)
    infos = [event.body for event in pbx.events if isinstance(event, InfoReceived)]
    if mode == "info":
        assert infos == [b"Signal=7\r\nDuration=160\r\n", b"Signal=8\r\nDuration=160\r\n"]
        assert ("send_digits", "8") not in theirs.told
    else:
        assert infos == []
        assert theirs.told == [("send_digits", "8")]


def test_when_the_sound_is_searched() -> None:
    """Always where a link says so, never where it says otherwise, else without telephone-event."""
    assert in_the_sound("inband", None)
    assert not in_the_sound("auto", None)
    codecs = (PCMU, TELEPHONE_EVENT)
    assert [without_events(mode, codecs) for mode in DTMF_MODES] == [codecs, codecs, (PCMU,), (PCMU,)]
