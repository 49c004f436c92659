"""What calls are told of the store's rights, parameters and quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from engine.call.entitlements import EntitlementReading
from engine.domain.actor import LOCAL
from engine.domain.quotas import Quota
from engine.domain.rights import ObjectKind
from engine.domain.scope import scoped
from engine.entitlement_reading import MOMENT, EntitlementUpdates, read_entitlements
from engine.store import Store
from tests.engine.administration.town import Town

if TYPE_CHECKING:
    from engine.store_thread import StoreThread

R = TypeVar("R")


def test_lines_have_users_though_nobody_was_given_anything(store: Store) -> None:
    """The call journal asks whose a line is, too."""
    town = Town(store)
    jane = town.add("users", login="jane").uid
    town.add("lines", number="200", user=jane)
    reading, people = read_entitlements(store)
    assert (list(reading.users.values()), people) == ([jane], None)


def test_everything_of_all_companies(store: Store) -> None:
    """Each company's own, joined by nothing."""
    town = Town(store)
    jane = town.add("users", login="jane", culture="fr").uid
    theirs = town.add("users", town.theirs.administrator, login="jane").uid
    sales = town.add("groups", name="sales").uid
    town.add("memberships", group=sales, member=jane)
    town.add("authorisations", grantee=sales, kind="application", object="echo")
    town.add("parameters", LOCAL, owner=town.theirs.domain, name="echo.access", value="authorised")
    town.add("quotas", LOCAL, company=town.ours.company, application="echo", channels=3)
    town.add("lines", number="200", user=jane)
    town.add("lines", town.theirs.administrator, number="200", user=theirs)
    reading, people = read_entitlements(store)
    assert reading.users == {
        scoped("200", town.key_of(place.company)): user
        for place, user in ((town.ours, jane), (town.theirs, theirs))
    }
    assert reading.rights.may(jane, ObjectKind.APPLICATION, "echo")
    assert not reading.rights.may(theirs, ObjectKind.APPLICATION, "echo")
    assert reading.parameters.values("echo", jane) == {}
    assert reading.parameters.values("echo", theirs) == {"access": "authorised"}
    key = town.key_of(town.ours.company)
    assert reading.quotas == (Quota(key, "echo", channels=3),)
    assert reading.strangers[key] == town.ours.domain
    assert reading.cultures == {jane: "fr"}
    assert read_entitlements(store, people)[0].cultures is people.cultures


class PaperThread:
    """The store's thread, at once."""

    def call(self, function: Callable[..., R], *args: object) -> Deferred[R]:
        return succeed(function(*args))


def test_what_is_read_again_and_when(store: Store) -> None:
    """What was given holds before its giver is answered; who is in what a moment later, once for many changes."""
    town, clock = Town(store), Clock()
    taken: list[EntitlementReading] = []
    thread = cast("StoreThread", PaperThread())
    updates = EntitlementUpdates(clock, thread, store, taken.append)

    def written(noun: str) -> None:
        Deferred.fromCoroutine(updates.written(noun))

    jane = town.add("users", login="jane").uid
    for _ in range(3):
        written("users")
    assert (len(taken), len(clock.getDelayedCalls())) == (0, 1)
    clock.advance(MOMENT)
    assert len(taken) == 1
    town.add("parameters", owner=jane, name="echo.access", value="authorised")
    written("parameters")
    assert taken[-1].parameters.values("echo", jane) == {"access": "authorised"}
    jim = town.add("users", login="jim").uid
    town.add("authorisations", grantee=jim, kind="application", object="echo")
    written("users")
    written("authorisations")
    assert taken[-1].rights.may(jim, ObjectKind.APPLICATION, "echo")
    written("conference-rooms")
    assert (len(taken), clock.getDelayedCalls()) == (3, [])
    written("groups")
    updates.stop()
    assert clock.getDelayedCalls() == []
