"""Users who sign in: by the methods that count for each, a real slapd among them, and never as somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.administration.authentication_methods import AuthenticationMethodDraft, AuthenticationMethods
from engine.administration.companies import Companies, CompanyDraft
from engine.administration.domains import DomainDraft, Domains
from engine.administration.groups import GroupDraft, Groups
from engine.administration.memberships import MembershipDraft, Memberships
from engine.administration.notes import StoreNotes
from engine.administration.query import Query
from engine.administration.users import UserDraft, Users
from engine.authentication.refusal import Why
from engine.domain.actor import LOCAL, Role
from engine.store import Store
from tests.engine.authentication.door import ELSEWHERE, HERE, Door
from tests.ldap_server import PEOPLE, LdapServer, person, running_server

PASSWORD = "correct horse"
NAME = "jane@a.example"


class House(Door):
    """A company with a domain ``a.example``, in which there is a user ``jane``."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        database, notes = store.database, StoreNotes(store)
        self.companies, self.domains = Companies(database, notes), Domains(database, notes)
        self.users, self.groups = Users(database, notes), Groups(database, notes)
        self.memberships, self.methods = Memberships(database, notes), AuthenticationMethods(database, notes)
        self.company = self.companies.add(LOCAL, CompanyDraft(name="A")).view.uid
        self.domain = self.add_domain("a.example", self.company)
        self.jane = self.add_user("jane", self.domain)

    def add_domain(self, name: str, company: str) -> str:
        return self.domains.add(LOCAL, DomainDraft(name=name, company=company, sip_domain=name)).view.uid

    def add_user(self, login: str, domain: str, password: str | None = PASSWORD) -> str:
        return self.users.add(LOCAL, UserDraft(login=login, domain=domain, password=password)).view.uid

    def add_method(self, kind: Any, **fields: Any) -> str:
        if not {"group", "user"} & fields.keys():
            fields["domain"] = self.domain
        return self.methods.add(LOCAL, AuthenticationMethodDraft(kind=kind, **fields)).view.uid

    def add_directory(self, server: LdapServer, **fields: Any) -> str:
        return self.add_method(
            "ldap",
            host=server.host,
            port=server.tls_port,
            pattern=f"cn=?,{PEOPLE}",
            authority=server.authority.read_text(),
            **fields,
        )

    def lets_in(self, name: str = NAME, password: str = PASSWORD, source: str = HERE) -> str:
        return self.opens(self.authenticator.sign_in(name, password, source)).actor.name

    def keeps_out(self, name: str = NAME, password: str = PASSWORD, source: str = HERE) -> Why:
        return self.refuses(self.authenticator.sign_in(name, password, source))


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


@pytest.fixture(scope="module")
def server() -> Iterator[LdapServer]:
    with running_server([person("jane", userPassword="of the directory")]) as server:
        yield server


class TestPasswordsOfOurOwn:
    def test_herself_alone(self, house: House) -> None:
        """She is her company's, and may what a user may."""
        signed_in = house.opens(house.authenticator.sign_in(NAME, PASSWORD, HERE))
        actor = signed_in.actor
        assert (actor.name, actor.role, actor.user) == (f"user:{house.jane}", Role.USER, house.jane)
        assert actor.companies is not None
        assert len(actor.companies) == 1
        assert house.opens(house.authenticator.by_session(signed_in.secret)).actor == actor

    @pytest.mark.parametrize(
        "name",
        [
            "jane@b.example",
            "jane@",
            "@a.example",
            "joe@a.example",
            "jane@a.example\0",
            "a@b@c",
            "jane@default",
        ],
    )
    def test_nobody(self, house: House, name: str) -> None:
        assert house.keeps_out(name) is Why.WRONG
        assert house.keeps_out(password="guess") is Why.WRONG

    def test_however_it_is_written(self, house: House) -> None:
        assert house.lets_in("JANE@A.Example") == f"user:{house.jane}"

    def test_one_of_the_same_login_elsewhere(self, house: House) -> None:
        """Another company's is another user; so is one of the engine's first domain."""
        other = house.companies.add(LOCAL, CompanyDraft(name="B")).view.uid
        theirs = house.add_user("jane", house.add_domain("b.example", other), "battery staple")
        assert house.lets_in("jane@b.example", "battery staple") == f"user:{theirs}"
        assert house.keeps_out("jane@b.example") is Why.WRONG
        first = next(each.uid for each in house.domains.page(LOCAL, Query()).items if each.name == "default")
        joe = house.add_user("joe", first)
        assert house.lets_in("joe@default") == f"user:{joe}"

    def test_without_a_password_or_switched_off(self, house: House) -> None:
        house.add_user("joe", house.domain, None)
        assert house.keeps_out("joe@a.example", "") is Why.WRONG
        opened = house.opens(house.authenticator.sign_in(NAME, PASSWORD, HERE))
        house.users.change(LOCAL, house.jane, house.users.patch(enabled=False))
        assert house.keeps_out() is Why.WRONG
        assert house.refuses(house.authenticator.by_session(opened.secret)) is Why.WRONG
        house.users.change(LOCAL, house.jane, house.users.patch(enabled=True))
        house.companies.change(LOCAL, house.company, house.companies.patch(enabled=False))
        assert house.keeps_out() is Why.WRONG

    def test_a_new_password_ends_her_sessions(self, house: House) -> None:
        opened = house.opens(house.authenticator.sign_in(NAME, PASSWORD, HERE))
        house.users.change(LOCAL, house.jane, house.users.patch(password="battery staple"))
        assert house.refuses(house.authenticator.by_session(opened.secret)) is Why.WRONG
        assert house.keeps_out() is Why.WRONG
        house.lets_in(password="battery staple")

    def test_not_by_basic(self, house: House) -> None:
        """That is for administrators."""
        assert house.refuses(house.authenticator.by_password(NAME, PASSWORD, HERE)) is Why.WRONG

    def test_guessing_is_followed_by_silence(self, house: House) -> None:
        assert [house.keeps_out(password="guess") for _ in range(10)] == [Why.WRONG] * 10
        assert house.keeps_out() is Why.SILENCED
        house.lets_in(source=ELSEWHERE)


@pytest.mark.needs("slapd")
class TestDirectories:
    def test_the_domains(self, house: House, server: LdapServer) -> None:
        """Instead of a password of our own; after it, where both are listed."""
        house.add_directory(server, position=1)
        assert house.keeps_out() is Why.WRONG
        assert house.lets_in(password="of the directory") == f"user:{house.jane}"
        house.add_method("local", position=2)
        house.lets_in()

    def test_whom_only_the_directory_knows(self, house: House, server: LdapServer) -> None:
        """She has to be a user here: a directory says whose password it is, not who may."""
        house.add_directory(server)
        house.users.remove(LOCAL, house.jane)
        assert house.keeps_out(password="of the directory") is Why.WRONG

    def test_one_that_does_not_answer(self, house: House, server: LdapServer) -> None:
        house.add_method("ldap", position=1, host="127.0.0.1", port=1, pattern="cn=?,dc=x")
        assert house.keeps_out(password="of the directory") is Why.WRONG
        house.add_directory(server, position=2)
        house.lets_in(password="of the directory")

    def test_the_nearest_list(self, house: House, server: LdapServer) -> None:
        """A group's before the domain's, her own before both."""
        house.add_method("local")
        group = house.groups.add(LOCAL, GroupDraft(name="G", domain=house.domain)).view.uid
        house.add_directory(server, group=group)
        house.lets_in()
        house.memberships.add(LOCAL, MembershipDraft(group=group, member=house.jane))
        assert house.keeps_out() is Why.WRONG
        house.lets_in(password="of the directory")
        house.add_method("local", user=house.jane)
        house.lets_in()

    def test_nobody_is_locked_out_of_it_from_here(self, house: House, server: LdapServer) -> None:
        """From however many places somebody guesses, the directory hears of four; the owner is not concerned."""
        house.add_directory(server)
        right = "of the directory"
        house.lets_in(password=right, source=ELSEWHERE)
        for index in range(6):
            assert house.keeps_out(password="guess", source=f"198.51.100.{index}") is Why.WRONG
        assert house.keeps_out(password=right, source="198.51.100.99") is Why.WRONG
        house.lets_in(password=right, source=ELSEWHERE)


def test_none_is_forced_and_loud(house: House) -> None:
    """Anybody who knows a login is let in, if she is a user; it is told each time."""
    with pytest.raises(Exception, match="forced"):
        house.add_method("none", user=house.jane)
    house.add_method("none", user=house.jane, forced=True)
    assert house.lets_in(password="whatever") == f"user:{house.jane}"
    assert house.keeps_out("joe@a.example", "whatever") is Why.WRONG
