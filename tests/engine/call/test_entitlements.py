"""Rights, parameters and quotas at calls: what a caller is refused, and why, and how applications behave for it."""

from __future__ import annotations

import pytest

from engine.automates.catalogue import APPLICATIONS as AUTOMATES
from engine.automates.parameters import AUTHORISED, DECLARED
from engine.call.entitlements import EntitlementReading
from engine.domain.applications import APPLICATIONS, CALLS, OUTSIDE
from engine.domain.parameters import Parameters, Setting
from engine.domain.quotas import Quota, Share
from engine.domain.rights import Authorisation, ObjectKind, Rights
from engine.domain.scope import DEFAULT_COMPANY
from engine.domain.structure import Node, Structure
from engine.store import AutomateRange, Link
from sip.message import Response
from sip.uri import Uri
from tests.engine.call.town import ECHO, PASSWORD, Phone, Town, response_headers

ALICE, BOB = "1001", "1002"
LINK = Link(id=1, name="pbx", host="192.0.2.90", port=5060, register=False, dialled_prefixes="9")
RECORDER = AutomateRange(id=3, first_number="6000", application="recorder")
STRUCTURE = Structure(
    [
        Node("cmp_1", "cmp_1"),
        Node("dom_1", "cmp_1", "dom_1"),
        Node("grp_1", "cmp_1", "dom_1"),
        Node("usr_alice", "cmp_1", "dom_1"),
        Node("usr_bob", "cmp_1", "dom_1"),
    ],
    [("usr_alice", "grp_1")],
)


def reading(
    *settings: tuple[str, str, str | int | bool],
    quotas: tuple[Quota, ...] = (),
    granted: tuple[str, ...] = (),
) -> EntitlementReading:
    """What the store would say. granted: applications that Alice's group is authorised to."""
    given = [Authorisation(f"aut_{each}", "cmp_1", "grp_1", ObjectKind.APPLICATION, each) for each in granted]
    return EntitlementReading(
        Rights(STRUCTURE, given),
        Parameters(DECLARED, STRUCTURE, [Setting(*each) for each in settings]),
        quotas,
        {ALICE: "usr_alice", BOB: "usr_bob"},
        {DEFAULT_COMPANY: "dom_1"},
        {"usr_alice": "fr"},
    )


@pytest.fixture
def town() -> Town:
    return Town(lines=(ALICE, BOB), links=(LINK,), ranges=(RECORDER,))


@pytest.fixture
def alice(town: Town) -> Phone:
    return town.phone(ALICE, "192.0.2.11", registered=True)


@pytest.fixture
def bob(town: Town) -> Phone:
    return town.phone(BOB, "192.0.2.12", registered=True)


@pytest.fixture
def stranger(town: Town) -> Phone:
    return town.phone("300", "192.0.2.13")


def last_answer(town: Town, phone: Phone) -> Response:
    """What the phone was answered last."""
    return response_headers([data for data, to in town.post if to == phone.address][-1])


def status(phone: Phone) -> int | None:
    """How the last call was refused; None: it was not."""
    return None if phone.ended is None else phone.ended.status


def test_every_application_can_be_named() -> None:
    """In authorisations, quotas and parameters: those of automates, and calls."""
    assert set(APPLICATIONS) == {*AUTOMATES, CALLS, OUTSIDE}
    assert {each.application for each in DECLARED} == set(APPLICATIONS)
    assert len({each.full_name for each in DECLARED}) == len(DECLARED)
    for each in DECLARED:
        assert each.check(each.default) == each.default
        assert each.description_en != each.description_fr


class TestRights:
    def test_an_application_for_the_authorised(
        self, town: Town, alice: Phone, bob: Phone, stranger: Phone
    ) -> None:
        """Who has it through a group may call it; another line and a stranger are refused."""
        town.parts.entitle(reading(("dom_1", "echo.access", AUTHORISED), granted=("echo",)))
        alice.dial(ECHO, password=PASSWORD)
        assert status(alice) is None
        bob.dial(ECHO, password=PASSWORD)
        stranger.dial(ECHO)
        assert (status(bob), status(stranger), town.count("dial_refused")) == (403, 403, 2)

    def test_it_holds_from_the_next_call_on(self, town: Town, bob: Phone) -> None:
        """Nothing is restarted; a call that is up stays."""
        call = bob.dial(ECHO, password=PASSWORD)
        town.parts.entitle(reading(("usr_bob", "echo.access", AUTHORISED)))
        town.pass_time(1)
        assert status(bob) is None
        call.hangup()
        town.pass_time(1)
        bob.dial(ECHO, password=PASSWORD)
        assert status(bob) == 403

    def test_calls_outside(self, town: Town, alice: Phone, bob: Phone) -> None:
        """Whether a line may leave by a link at all."""
        pbx = town.phone("9", "192.0.2.90")
        town.parts.entitle(reading(("dom_1", "outside.access", AUTHORISED), granted=("outside",)))
        alice.dial("9123", password=PASSWORD)
        assert [each.request_uri.user for each in pbx.invites] == ["9123"]
        bob.dial("9123", password=PASSWORD)
        assert (status(bob), len(pbx.invites)) == (403, 1)

    def test_a_transfer_leads_no_further(self, town: Town, alice: Phone, bob: Phone) -> None:
        """Who may not call an automate sends nobody there either; who may does, though the engine itself calls it."""
        town.parts.entitle(reading(("dom_1", "echo.access", AUTHORISED), granted=("echo",)))
        alice.dial(BOB, password=PASSWORD)
        bob.call.refer(Uri.parse(f"sip:{ECHO}@192.0.2.1"))
        town.pass_time(1)
        assert bob.reports == [403]
        assert status(alice) is None
        alice.call.refer(Uri.parse(f"sip:{ECHO}@192.0.2.1"))
        town.pass_time(1)
        assert alice.reports[-1] == 200


class TestQuotas:
    def test_one_channel_too_many(self, town: Town, alice: Phone, bob: Phone, stranger: Phone) -> None:
        """Refused with the reason, in the caller's language, until one is free again."""
        town.parts.entitle(reading(quotas=(Quota(DEFAULT_COMPANY, "echo", channels=1),)))
        call = bob.dial(ECHO, password=PASSWORD)
        alice.dial(ECHO, password=PASSWORD)
        assert (status(alice), town.count("quota_spent")) == (480, 1)
        refusal = last_answer(town, alice).headers
        assert refusal.get("Warning") == '399 polyphony "Les 1 voies de echo sont toutes prises"'
        assert (refusal.get("Reason") or "").startswith("Q.850;cause=34")
        stranger.dial(ECHO)
        english = '399 polyphony "All 1 channels of echo are in use"'
        assert last_answer(town, stranger).headers.get("Warning") == english
        call.hangup()
        town.pass_time(1)
        stranger.dial(ECHO)
        assert town.calls.channels.used(Share(DEFAULT_COMPANY, "echo")) == 1

    def test_calls_between_lines_and_outside_are_counted_apart(
        self, town: Town, alice: Phone, bob: Phone
    ) -> None:
        """A call of two is one channel of what was called."""
        town.phone("9", "192.0.2.90")
        town.parts.entitle(
            reading(
                quotas=(
                    Quota(DEFAULT_COMPANY, CALLS, channels=1),
                    Quota(DEFAULT_COMPANY, OUTSIDE, channels=0),
                )
            )
        )
        alice.dial(BOB, password=PASSWORD)
        assert town.calls.channels.used(Share(DEFAULT_COMPANY, CALLS)) == 1
        alice.dial("9123", password=PASSWORD)
        assert status(alice) == 480

    def test_another_company_has_its_own(self, town: Town, bob: Phone) -> None:
        """What one company has spent is no other's."""
        town.parts.entitle(reading(quotas=(Quota(2, "echo", channels=0),)))
        bob.dial(ECHO, password=PASSWORD)
        assert status(bob) is None


class TestParameters:
    def test_the_users_own(self, town: Town, alice: Phone, bob: Phone) -> None:
        """The recorder speaks French to her, and tells nobody else's callers less."""
        town.parts.entitle(
            reading(
                ("grp_1", "recorder.language", "fr"),
                ("usr_bob", "recorder.announce", False),
                ("dom_1", "recorder.format", "flac"),
            )
        )
        alice.dial("6000", password=PASSWORD)
        bob.dial("6000", password=PASSWORD)
        assert town.media.legs[0].told[0][1][0] == "fr/record-after-tone"
        assert town.recordings.told == [("begin", "6000", BOB, "flac")]

    def test_the_automates_own_stays(self, town: Town, alice: Phone) -> None:
        """What the number itself says holds before what its caller has."""
        quiet = AutomateRange(
            id=4, first_number="6001", application="recorder", parameters={"announce": False}
        )
        town.numbering(lines=(ALICE, BOB), ranges=(quiet,))
        town.parts.entitle(reading(("usr_alice", "recorder.announce", True)))
        alice.dial("6001", password=PASSWORD)
        assert town.recordings.told[0][0] == "begin"

    def test_how_long_it_rings(self, town: Town, alice: Phone, bob: Phone) -> None:
        """What the called user has chosen, not the caller."""
        town.parts.entitle(reading(("usr_bob", "calls.ring_time", 5), ("usr_alice", "calls.ring_time", 1)))
        bob.status = 180
        alice.dial(BOB, password=PASSWORD)
        town.pass_time(4)
        assert status(alice) is None
        town.pass_time(1.5)
        assert status(alice) == 480
