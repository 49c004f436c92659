"""Two companies on one engine whose phones have the same numbers: each talks among its own, and hears nobody else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.administration.calls import Call, Calls
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.domain.actor import Actor, Role
from engine.store import AutomateRange, Line, Store
from engine.store.domain.tables import CompanyRow, DomainRow
from engine.store.numbers import line_secrets
from tests.interop.engine_process import Engine
from tests.interop.wire_phone import WirePhone
from tests.interop.wire_sound import Voice

PASSWORD = "a-long-enough-password"
REALM = "polyphony"
DOMAINS = {2: "a.example", 3: "b.example"}
TONES = {"a.example": (500, 700), "b.example": (900, 1100)}
"""Of 200 and of 201; each is one line of the spectrum."""
PATIENCE = 30.0


def found_companies(store: Store) -> None:
    """Both, with a domain, the lines 200 and 201 and the room 8000; 300 is B's alone."""
    with store.database.writing() as session:
        for company, host in DOMAINS.items():
            common = {"version": 1, "culture": "en", "name": host, "name_folded": host}
            session.add(CompanyRow(id=company, uid=f"cmp_{company}", enabled=True, **common))
            session.flush()
            session.add(DomainRow(uid=f"dom_{company}", company_id=company, sip_domain=host, **common))
    for company in DOMAINS:
        for number in ("200", "201") if company == 2 else ("200", "201", "300"):
            secrets = line_secrets(number, REALM, PASSWORD)
            store.lines.add(Line(number=number, realm=REALM, ha1=secrets, company_id=company))
        store.automate_ranges.add(AutomateRange(first_number="8000", application="room", company_id=company))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine of three companies: the default one has nothing but what a new engine has."""
    with Engine(Path(tmp_path_factory.mktemp("companies"))) as running:
        store = Store(f"sqlite:///{running.data / 'store.sqlite3'}")
        store.open()
        found_companies(store)
        store.close()
        running.reload()
        phone = WirePhone(running.ready.address(), user="200", password=PASSWORD, domain="b.example")
        with phone:
            for _ in range(100):  # until the engine has read it
                if phone.register().status == 200:
                    break
            assert phone.register(expires=0).status == 200
        yield running


@contextlib.contextmanager
def phone(engine: Engine, number: str, domain: str) -> Iterator[WirePhone]:
    """The phone of a line."""
    with WirePhone(engine.ready.address(), user=number, password=PASSWORD, domain=domain) as made:
        yield made


@contextlib.contextmanager
def listening(phone: WirePhone, until: str) -> Iterator[None]:
    """A phone that answers what it is asked, until that request."""
    thread = threading.Thread(target=phone.listen, args=(PATIENCE, until))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_both_talk_under_the_same_numbers(engine: Engine) -> None:
    """200 calls 201 in both companies at once: each hears its own partner's tone, and none of the other two."""
    with contextlib.ExitStack() as stack:
        voices: dict[tuple[str, str], Voice] = {}
        for domain, tones in TONES.items():
            caller = stack.enter_context(phone(engine, "200", domain))
            called = stack.enter_context(phone(engine, "201", domain))
            assert called.register().status == 200
            called.picks_up = True
            with listening(called, "ACK"):
                assert caller.call("201").status == 200
            for one, tone in zip((caller, called), tones, strict=True):
                voices[domain, one.user] = stack.enter_context(Voice(one, tone))
        threading.Event().wait(2.0)
        for (domain, user), voice in voices.items():
            partner = TONES[domain][user == "200"]
            assert voice.kept(partner) > 0.5, (domain, user)
            for other in {tone for tones in TONES.values() for tone in tones} - {partner}:
                assert voice.kept(other) == 0, (domain, user, other)


@pytest.mark.parametrize("domain", ["a.example", "b.example"])
def test_a_room_of_the_same_number_is_two(engine: Engine, domain: str) -> None:
    """Who calls 8000 meets nobody of the other company there."""
    other = next(each for each in DOMAINS.values() if each != domain)
    with (
        phone(engine, "200", domain) as one,
        phone(engine, "201", domain) as two,
        phone(engine, "200", other) as foreign,
    ):
        for each in (one, two, foreign):
            assert each.call("8000").status == 200
        with Voice(one, 500) as first, Voice(two, 700) as second, Voice(foreign, 900) as third:
            threading.Event().wait(2.0)
        assert first.kept(700) > 0.5
        assert second.kept(500) > 0.5
        assert (first.kept(900), third.kept(500), third.kept(700)) == (0, 0, 0)
        for each in (one, two, foreign):
            each.hang_up()


@pytest.mark.parametrize("number", ["300", "5000", "9001", "nobody"])
def test_nobody_elses_numbers(engine: Engine, number: str) -> None:
    """B's line, and the default company's automates and rooms: 404, as what nobody has."""
    with phone(engine, "300", "b.example") as of_b, phone(engine, "200", "a.example") as caller:
        assert of_b.register().status == 200
        assert caller.call(number).status == 404
        assert of_b.asked == []


def test_the_journal_of_each(engine: Engine) -> None:
    """A call of B's stands in B's journal, at both numbers, with its length; A has none of it."""
    with phone(engine, "200", "b.example") as caller, phone(engine, "300", "b.example") as called:
        assert called.register().status == 200
        called.picks_up = True
        with listening(called, "ACK"):
            assert caller.call("300").status == 200
        with Voice(caller, 500), Voice(called, 700):
            threading.Event().wait(1.5)
        with listening(called, "BYE"):
            caller.hang_up()
    of_b = Actor("admin:b", Role.ADMINISTRATOR, frozenset({3}))
    of_a = Actor("admin:a", Role.ADMINISTRATOR, frozenset({2}))
    store = Store(f"sqlite:///{engine.data / 'store.sqlite3'}")
    store.open()
    try:
        journal = Calls(store.database, StoreNotes(store))
        found: list[Call] = []
        end = time.monotonic() + PATIENCE
        while len(found) < 2 and time.monotonic() < end:
            time.sleep(0.2)
            found = [each for each in journal.page(of_b, Query()).items if "300" in (each.line, each.number)]
        assert sorted((each.line, each.direction, each.number, each.answered_by) for each in found) == [
            ("200", "out", "300", "300"),
            ("300", "in", "200", "300"),
        ]
        assert all(each.seconds > 1 for each in found)
        assert [each for each in journal.page(of_a, Query()).items if each.answered_by == "300"] == []
    finally:
        store.close()
