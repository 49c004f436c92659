"""The store's collections, each on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.domain.actor import Role
from engine.store import (
    AutomateRange,
    InUse,
    Invalid,
    Line,
    Link,
    NotFound,
    Prompt,
    Recording,
    Store,
    StoreError,
    Taken,
)
from engine.store.first_start import fill
from engine.store.numbers import line_secrets
from engine.store.passwords import password_matches

PBX = Link(
    name="pbx",
    host="pbx.example.com",
    port=5062,
    transport="tls",
    pbx_type="kamailio",
    realm="example.com",
    username="trunk",
    password="a secret",
    register=False,
    rate_limit=100,
    nat=True,
    dialled_prefixes="0 +",
    enabled=False,
)


def a_line(number: str) -> Line:
    return Line(
        number=number, display_name="Zoé", realm="polyphony", ha1=line_secrets(number, "polyphony", "pw")
    )


def an_echo(first_number: str, count: int = 1) -> AutomateRange:
    return AutomateRange(first_number=first_number, count=count, application="echo")


def refusal(error: pytest.ExceptionInfo[StoreError]) -> str:
    return str(error.value)


class TestLinks:
    def test_every_field_comes_back(self, store: Store) -> None:
        """What is added is what is read, by name and in the list, with an id of its own."""
        added = store.links.add(PBX)
        assert added.id > 0
        assert added == replace(PBX, id=added.id)
        assert store.links.get("pbx") == added
        assert store.links.all() == [added]

    def test_defaults_come_back(self, store: Store) -> None:
        """A link of name and host alone has None where nothing was said."""
        added = store.links.add(Link(name="a", host="192.0.2.1"))
        assert store.links.get("a") == Link(name="a", host="192.0.2.1", id=added.id)

    def test_listed_by_name(self, store: Store) -> None:
        """The order is that of the names, whatever the order they came in."""
        for name in ("b", "c", "a"):
            store.links.add(Link(name=name, host="h"))
        assert [link.name for link in store.links.all()] == ["a", "b", "c"]

    def test_unknown_name(self, store: Store) -> None:
        """A name nobody has is None when asked for, NotFound when removed."""
        assert store.links.get("nobody") is None
        with pytest.raises(NotFound, match="there is no link nobody"):
            store.links.remove("nobody")

    def test_update(self, store: Store) -> None:
        """An update replaces all fields, the name too, and keeps the id."""
        added = store.links.add(PBX)
        changed = replace(added, name="other", host="198.51.100.1", password=None)
        assert store.links.update(changed) == changed
        assert store.links.all() == [changed]

    def test_a_bad_field_is_not_stored(self, store: Store) -> None:
        """What a rule refuses leaves no row behind, on adding and on changing."""
        with pytest.raises(Invalid, match="host"):
            store.links.add(replace(PBX, host="h h"))
        assert store.links.all() == []
        added = store.links.add(PBX)
        with pytest.raises(Invalid, match="host"):
            store.links.update(replace(added, host="h h"))
        assert store.links.all() == [added]

    def test_update_of_what_is_gone(self, store: Store) -> None:
        """An update does not bring a removed link back."""
        added = store.links.add(PBX)
        store.links.remove("pbx")
        with pytest.raises(NotFound):
            store.links.update(added)
        assert store.links.all() == []

    def test_name_is_taken(self, store: Store) -> None:
        """Two links of one name are refused, on adding and on renaming; itself is no other."""
        store.links.add(PBX)
        other = store.links.add(Link(name="other", host="h"))
        with pytest.raises(Taken) as error:
            store.links.add(Link(name="pbx", host="h"))
        assert (error.value.what, error.value.value) == ("link", "pbx")
        with pytest.raises(Taken, match="link pbx"):
            store.links.update(replace(other, name="pbx"))
        store.links.update(other)
        assert len(store.links.all()) == 2

    def test_prefix_is_taken(self, store: Store) -> None:
        """A dialled prefix leads to one link only; the refusal names it."""
        store.links.add(PBX)
        with pytest.raises(Taken) as error:
            store.links.add(Link(name="other", host="h", dialled_prefixes="1 +"))
        assert refusal(error) == "prefix + is taken by link pbx"

    def test_a_link_with_automates_stays(self, store: Store) -> None:
        """A link is not removed under its automates; the refusal names them."""
        link = store.links.add(PBX)
        automates = store.automate_ranges.add(replace(an_echo("100", 10), link_id=link.id))
        with pytest.raises(InUse) as error:
            store.links.remove("pbx")
        assert refusal(error) == "link pbx is needed by automate range 100"
        store.automate_ranges.remove(automates.first_number)
        store.links.remove("pbx")
        assert store.links.all() == []


class TestNumbers:
    def test_ranges_come_back(self, store: Store) -> None:
        """Leading zeros, parameters and the password of a range survive."""
        wanted = AutomateRange(
            first_number="0095",
            count=10,
            application="announcement",
            password="secret",
            parameters={"prompt": "welcome", "loop": True, "nested": {"é": [1, 2.5, None]}},
        )
        added = store.automate_ranges.add(wanted)
        assert store.automate_ranges.get("0095") == replace(wanted, id=added.id)
        assert added.numbers()[0] == "0095"
        assert added.numbers()[-1] == added.last_number == "0104"
        assert len(added.numbers()) == 10

    @pytest.mark.parametrize(
        ("number", "inside"),
        [
            ("0094", False),
            ("0095", True),
            ("0104", True),
            ("0105", False),
            ("95", False),
            ("٠٠٩٥", False),
            ("", False),
        ],
    )
    def test_what_is_in_a_range(self, number: str, inside: bool) -> None:
        """Length counts, and digits of other scripts are no digits."""
        assert (number in an_echo("0095", 10)) is inside

    @pytest.mark.parametrize(
        ("first", "count", "overlaps"),
        [
            ("090", 10, False),
            ("091", 10, True),
            ("105", 1, True),
            ("109", 50, True),
            ("110", 5, False),
            ("050", 100, True),
            ("0105", 1, False),
        ],
    )
    def test_overlap(self, store: Store, first: str, count: int, overlaps: bool) -> None:
        """Two ranges that share a number are refused; the refusal names the other."""
        store.automate_ranges.add(an_echo("100", 10))
        if not overlaps:
            store.automate_ranges.add(an_echo(first, count))
            return
        with pytest.raises(Taken) as error:
            store.automate_ranges.add(an_echo(first, count))
        assert refusal(error) == f"automate range {first} is taken by automates 100-109"

    def test_overlap_with_itself_is_none(self, store: Store) -> None:
        """A range may be changed, and grown, where it stands; not into its neighbour."""
        added = store.automate_ranges.add(an_echo("100", 10))
        store.automate_ranges.add(an_echo("115"))
        grown = store.automate_ranges.update(replace(added, count=15))
        assert store.automate_ranges.get("100") == grown
        with pytest.raises(Taken, match="automate 115"):
            store.automate_ranges.update(replace(added, count=16))

    def test_a_line_inside_a_range(self, store: Store) -> None:
        """A number is a line or an automate, whichever came first."""
        store.automate_ranges.add(an_echo("100", 10))
        with pytest.raises(Taken) as error:
            store.lines.add(a_line("105"))
        assert refusal(error) == "line 105 is taken by automates 100-109"
        store.lines.add(a_line("110"))
        store.lines.add(a_line("0"))
        with pytest.raises(Taken) as error:
            store.automate_ranges.add(an_echo("110", 2))
        assert refusal(error) == "automate range 110 is taken by line 110"

    def test_lines_come_back(self, store: Store) -> None:
        """A line keeps its name in any script and its HA1s; the password itself is nowhere."""
        added = store.lines.add(a_line("alice"))
        assert store.lines.get("alice") == replace(a_line("alice"), id=added.id)
        assert set(added.ha1) == {"MD5", "SHA-256"}
        assert added.ha1["MD5"] == "0f799e35839b20101a2eadab1e4b4904"  # md5sum of alice:polyphony:pw

    def test_two_lines_of_one_number(self, store: Store) -> None:
        """A number is one line."""
        store.lines.add(a_line("101"))
        with pytest.raises(Taken, match="line 101 is taken by another line"):
            store.lines.add(a_line("101"))

    def test_unknown_link(self, store: Store) -> None:
        """Automates register on a link there is."""
        with pytest.raises(NotFound, match="there is no link 99"):
            store.automate_ranges.add(replace(an_echo("100"), link_id=99))


class TestFiles:
    def test_prompts(self, store: Store) -> None:
        """A prompt is found by its name, once."""
        prompt = Prompt(
            name="closed", path="prompts/closed.wav", seconds=2.5, sha256="0" * 64, source_name="c.mp3"
        )
        added = store.prompts.add(prompt)
        assert store.prompts.get("closed") == replace(prompt, id=added.id)
        with pytest.raises(Taken):
            store.prompts.add(prompt)
        store.prompts.remove("closed")
        assert store.prompts.all() == []

    def test_recordings(self, store: Store) -> None:
        """The newest come first, of one number where it is asked for; times keep their fractions."""
        for at, number in ((10.0, "6000"), (1_900_000_000.123456, "6001"), (20.0, "6000")):
            store.recordings.add(
                Recording(
                    number=number, caller="100", path="r.wav", started_at=at, seconds=1.0, reason="hang-up"
                )
            )
        assert [each.started_at for each in store.recordings.latest(2)] == [1_900_000_000.123456, 20.0]
        assert [each.started_at for each in store.recordings.latest(9, "6000")] == [20.0, 10.0]
        store.recordings.remove(store.recordings.latest(1)[0].id)
        assert len(store.recordings.all()) == 2

    def test_hostile_caller(self, store: Store) -> None:
        """Text from the network is cut, and cannot break a line or end a string."""
        caller = "Eve\r\nlog: forged\0\x1b[2J" + "x" * 500
        added = store.recordings.add(
            Recording(number="6000", caller=caller, path="r.wav", started_at=0, seconds=1, reason="x")
        )
        assert store.recordings.get(added.id) == added
        assert added.caller.isprintable()
        assert added.caller.startswith("Eve  log: forged")
        assert len(added.caller) == 255


class TestAdmins:
    def test_made_and_found(self, store: Store) -> None:
        """A super user of every company; her password only as its hash."""
        made = store.admins.create("root", "correct horse")
        assert store.admins.get("root") == made
        assert store.admins.get("nobody") is None
        assert (made.role, made.companies, made.enabled) == (Role.SUPER, None, True)
        assert password_matches("correct horse", made.password_hash)
        assert made.actor().name == "admin:root"

    def test_change_of_password(self, store: Store) -> None:
        """After a change only the new password is taken, and who had signed in has to again."""
        made = store.admins.create("root", "correct horse")
        store.sessions.open("d", made, "192.0.2.1", 1.0, 2.0)
        store.admins.set_password("root", "battery staple")
        found = store.admins.get("root")
        assert found is not None
        assert password_matches("battery staple", found.password_hash)
        assert store.sessions.find("d") is None
        with pytest.raises(NotFound):
            store.admins.set_password("nobody", "battery staple")

    def test_hashed_anew(self, store: Store) -> None:
        """Unless the password has been changed meanwhile."""
        made = store.admins.create("root", "correct horse")
        store.admins.rehash(made.id, "another", "new")
        assert store.admins.get("root") == made
        store.admins.rehash(made.id, made.password_hash, "new")
        assert store.admins.get("root") == replace(made, password_hash="new")

    def test_refusals(self, store: Store) -> None:
        """A short password, a bad name and a second admin of one name are refused."""
        with pytest.raises(Invalid, match="password"):
            store.admins.create("root", "short")
        with pytest.raises(Invalid, match="name"):
            store.admins.create("ro ot", "correct horse")
        store.admins.create("root", "correct horse")
        with pytest.raises(Taken):
            store.admins.create("root", "correct horse")

    def test_the_last_one_stays(self, store: Store) -> None:
        """Nobody locks everybody out."""
        store.admins.create("root", "correct horse")
        with pytest.raises(InUse):
            store.admins.remove("root")
        store.admins.create("other", "correct horse")
        store.admins.remove("root")
        with pytest.raises(NotFound):
            store.admins.remove("root")
        assert [admin.name for admin in store.admins.all()] == ["other"]


def test_secrets_are_made_once(store: Store, store_url: str) -> None:
    """A secret is random, of the size asked for, and the same after a restart."""
    made = store.secrets.get("nonce", 24)
    assert len(made) == 24
    assert made != store.secrets.get("other", 24)
    again = Store(store_url)
    again.open()
    assert again.secrets.get("nonce") == made
    again.close()


def test_first_start(store: Store) -> None:
    """An empty store gets an administrator, whose password is told once, and the demonstration."""
    password = fill(store)
    assert password is not None
    admin = store.admins.get("admin")
    assert admin is not None
    assert password_matches(password, admin.password_hash)
    numbers = {each.first_number: each.application for each in store.automate_ranges.all()}
    assert numbers == {
        "5000": "echo",
        "7000": "announcement",
        "7001": "announcement",
        "6999": "readback",
        "6000": "recorder",
        "8000": "room",
        "9000": "conference",
    }
    loops = {each.first_number: each.parameters.get("loop") for each in store.automate_ranges.all()}
    assert (loops["7000"], loops["7001"]) == (True, False)
    store.automate_ranges.remove("5000")
    assert fill(store) is None
    assert store.automate_ranges.get("5000") is None


def test_first_start_of_a_filled_store(store: Store) -> None:
    """Where numbers were given already, only the administrator is made."""
    store.automate_ranges.add(an_echo("100"))
    assert fill(store) is not None
    assert [each.first_number for each in store.automate_ranges.all()] == ["100"]


def test_no_repr_shows_a_secret(store: Store) -> None:
    """Logs of records are safe: passwords and hashes are left out."""
    store.admins.create("root", "correct horse")
    shown = repr(
        [PBX, a_line("101"), replace(an_echo("1"), password="a secret"), *store.admins.all()],
    )
    assert "a secret" not in shown
    assert "argon2" not in shown
    assert a_line("101").ha1["MD5"] not in shown
