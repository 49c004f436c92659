"""RFC 3263 by scripted look-ups: which transport, which host, in which order, and how long it is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sip.dns_answers
from sip.dns_answers import BRIEF_FAILURE, FAILURE, NEGATIVE, STALE, Answer, LookupFailed, Naptr, Srv
from sip.flow import Address
from sip.resolver import CANDIDATES, PENALTY, ResolutionError, Resolver, ResolverSettings, order_srv
from sip.uri import Uri

HOST_A = "192.0.2.1"
HOST_B = "192.0.2.2"


class Zone:
    """A Lookup that answers from a script and notes what it was asked."""

    def __init__(self, ttl: float = 60.0) -> None:
        self.ttl = ttl
        self.records: dict[tuple[str, str], Sequence[object] | str] = {}
        self.asked: list[tuple[str, str]] = []

    def has(self, kind: str, name: str, *records: object) -> None:
        self.records[kind, name] = records

    def fails(self, kind: str, name: str) -> None:
        self.records[kind, name] = "dns_timeout"

    def _find(self, kind: str) -> Callable[[str], object]:
        async def find(name: str) -> object:
            self.asked.append((kind, name))
            found = self.records.get((kind, name), ())
            if isinstance(found, str):
                raise LookupFailed(found)
            return Answer(tuple(found), self.ttl)

        return find

    def __getattr__(self, kind: str) -> object:
        return self._find(kind)


@pytest.fixture
def zone() -> Zone:
    return Zone()


@pytest.fixture
def resolver(zone: Zone) -> Resolver:
    return Resolver(zone, lambda: 0.0)  # type: ignore[arg-type]


def resolve(resolver: Resolver, uri: str, now: float = 0.0) -> list[str]:
    """Run a resolution to its end: the scripted look-ups never wait."""
    coroutine = resolver.resolve(Uri.parse(uri), now)
    try:
        coroutine.send(None)
    except StopIteration as done:
        return [str(address) for address in done.value]
    raise AssertionError("it waits")


def refusal(resolver: Resolver, uri: str, now: float = 0.0) -> tuple[str, int]:
    with pytest.raises(ResolutionError) as caught:
        resolve(resolver, uri, now)
    return caught.value.label, caught.value.status


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:192.0.2.1", "udp:192.0.2.1:5060"),
        ("sip:bob@192.0.2.1:5070", "udp:192.0.2.1:5070"),
        ("sip:192.0.2.1;transport=TCP", "tcp:192.0.2.1:5060"),
        ("sip:192.0.2.1;transport=tls", "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1", "tls:192.0.2.1:5061"),
        ("sips:192.0.2.1:5081;transport=tcp", "tls:192.0.2.1:5081"),
        ("sip:[2001:db8::1]", "udp:[2001:db8::1]:5060"),
        ("sip:192.0.2.1;maddr=203.0.113.9", "udp:192.0.2.1:5060"),
    ],
)
def test_a_numeric_host_needs_no_look_up(resolver: Resolver, zone: Zone, uri: str, address: str) -> None:
    assert resolve(resolver, uri) == [address]
    assert zone.asked == []


def test_with_a_port_only_the_host_is_looked_up(resolver: Resolver, zone: Zone) -> None:
    zone.has("addresses", "pbx.example.net", HOST_A, "2001:db8::1", HOST_B)
    assert resolve(resolver, "sip:pbx.example.net:5070") == [
        "udp:192.0.2.1:5070",
        "udp:192.0.2.2:5070",
        "udp:[2001:db8::1]:5070",
    ]
    assert zone.asked == [("addresses", "pbx.example.net")]


@pytest.mark.parametrize("name", ["localhost", "pbx", "a.localhost"])
def test_localhost_and_names_without_a_dot_are_asked_of_the_system(
    resolver: Resolver, zone: Zone, name: str
) -> None:
    zone.has("system_addresses", name, "::1", "127.0.0.1")
    assert resolve(resolver, f"sip:{name};transport=tcp") == ["tcp:127.0.0.1:5060", "tcp:[::1]:5060"]
    assert zone.asked == [("system_addresses", name)]


def test_naptr_leads_to_srv_leads_to_addresses(resolver: Resolver, zone: Zone) -> None:
    """The example of RFC 3263 section 4.1."""
    zone.has(
        "naptr",
        "example.com",
        Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com"),
        Naptr(100, 50, "S", "sip+d2u", "_sip._udp.example.com"),
        Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        Naptr(10, 50, "u", "E2U+sip", ""),
    )
    zone.has("srv", "_sips._tcp.example.com", Srv(0, 1, 5061, "a.example.com"))
    zone.has(
        "srv", "_sip._tcp.example.com", Srv(0, 1, 5060, "a.example.com"), Srv(0, 2, 5060, "b.example.com")
    )
    zone.has("addresses", "a.example.com", HOST_A)
    zone.has("addresses", "b.example.com", HOST_B)
    assert resolve(resolver, "sip:example.com") == [
        "tls:192.0.2.1:5061",
        "tcp:192.0.2.1:5060",
        "tcp:192.0.2.2:5060",
    ]
    assert resolve(resolver, "sips:example.com") == ["tls:192.0.2.1:5061"]


def test_a_service_we_have_no_transport_for_is_passed_over(zone: Zone) -> None:
    resolver = Resolver(zone, lambda: 0.0, ResolverSettings(transports=("udp",)))  # type: ignore[arg-type]
    zone.has(
        "naptr", "example.com", Naptr(1, 1, "s", "SIP+D2T", "t"), Naptr(2, 1, "s", "SIP+D2U", "u.example.com")
    )  # fmt: skip
    zone.has("srv", "u.example.com", Srv(0, 0, 5062, HOST_A))
    assert resolve(resolver, "sip:example.com") == ["udp:192.0.2.1:5062"]


def test_without_naptr_the_first_transport_with_srv_is_taken(resolver: Resolver, zone: Zone) -> None:
    zone.has("srv", "_sip._tcp.example.com", Srv(0, 0, 5080, "a.example.com"))
    zone.has("addresses", "a.example.com", HOST_A)
    assert resolve(resolver, "sip:example.com") == ["tcp:192.0.2.1:5080"]
    assert ("srv", "_sips._tcp.example.com") not in zone.asked


def test_a_named_transport_skips_naptr(resolver: Resolver, zone: Zone) -> None:
    zone.has("srv", "_sips._tcp.example.com", Srv(0, 0, 5071, "a.example.com"))
    zone.has("addresses", "a.example.com", HOST_A)
    assert resolve(resolver, "sip:example.com;transport=tls") == ["tls:192.0.2.1:5071"]
    assert zone.asked[0] == ("srv", "_sips._tcp.example.com")


def test_without_srv_the_name_itself_is_looked_up(resolver: Resolver, zone: Zone) -> None:
    zone.has("addresses", "example.com", HOST_A)
    assert resolve(resolver, "sip:example.com") == ["udp:192.0.2.1:5060"]
    assert resolve(resolver, "sips:example.com") == ["tls:192.0.2.1:5061"]
    assert resolve(resolver, "sip:example.com;transport=tcp") == ["tcp:192.0.2.1:5060"]


def test_name_servers_that_do_not_know_naptr_and_srv_do_not_hinder(resolver: Resolver, zone: Zone) -> None:
    zone.fails("naptr", "example.com")
    for prefix in ("_sip._udp", "_sip._tcp", "_sips._tcp"):
        zone.fails("srv", f"{prefix}.example.com")
    zone.has("addresses", "example.com", HOST_A)
    assert resolve(resolver, "sip:example.com") == ["udp:192.0.2.1:5060"]
    zone.asked.clear()
    assert resolve(resolver, "sip:example.com", FAILURE - 1) == ["udp:192.0.2.1:5060"]
    assert zone.asked == []


def test_a_dot_as_target_means_the_service_is_not_there(resolver: Resolver, zone: Zone) -> None:
    zone.has("srv", "_sip._udp.example.com", Srv(0, 0, 0, "."))
    assert refusal(resolver, "sip:example.com") == ("service_not_offered", 480)


def test_a_target_that_does_not_resolve_is_skipped(resolver: Resolver, zone: Zone) -> None:
    zone.has(
        "srv", "_sip._udp.example.com", Srv(0, 0, 5060, "gone.example.com"), Srv(1, 0, 5060, "b.example.com.")
    )
    zone.has("addresses", "b.example.com", HOST_B)
    assert resolve(resolver, "sip:example.com") == ["udp:192.0.2.2:5060"]
    zone.fails("addresses", "b.example.com")
    assert refusal(Resolver(zone, lambda: 0.0), "sip:example.com") == ("dns_timeout", 503)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("uri", "label", "status"),
    [
        ("sips:example.com;transport=udp", "sips_transport", 480),
        ("sip:example.com;transport=sctp", "transport", 480),
        ("tel:+3312345678", "scheme", 416),
        ("sip:nowhere.example.com:5060", "no_such_host", 503),
        ("sip:silent.example.com:5060", "dns_timeout", 503),
    ],
)
def test_what_cannot_be_reached_has_a_label_and_a_status(
    resolver: Resolver, zone: Zone, uri: str, label: str, status: int
) -> None:
    zone.fails("addresses", "silent.example.com")
    assert refusal(resolver, uri) == (label, status)


def test_an_ip_version_we_do_not_have_is_left_out(zone: Zone) -> None:
    zone.has("addresses", "example.com", HOST_A, "2001:db8::1", "nonsense")
    six = Resolver(zone, lambda: 0.0, ResolverSettings(families=(6,), transports=("tcp",)))  # type: ignore[arg-type]
    assert resolve(six, "sip:example.com:5060") == ["tcp:[2001:db8::1]:5060"]


def test_an_answer_is_believed_for_its_ttl(resolver: Resolver, zone: Zone) -> None:
    zone.has("addresses", "a.example.com", HOST_A)
    resolve(resolver, "sip:a.example.com:5060", 0.0)
    zone.has("addresses", "a.example.com", HOST_B)
    assert resolve(resolver, "sip:A.example.COM:5060", 59.9) == ["udp:192.0.2.1:5060"]
    assert resolve(resolver, "sip:a.example.com:5060", 60.0) == ["udp:192.0.2.2:5060"]


def test_that_there_is_no_such_name_is_believed_shortly(resolver: Resolver, zone: Zone) -> None:
    assert refusal(resolver, "sip:a.example.com:5060", 0.0)[0] == "no_such_host"
    zone.has("addresses", "a.example.com", HOST_A)
    assert refusal(resolver, "sip:a.example.com:5060", NEGATIVE - 0.1)[0] == "no_such_host"
    assert resolve(resolver, "sip:a.example.com:5060", NEGATIVE) == ["udp:192.0.2.1:5060"]


def test_silence_is_remembered_briefly(resolver: Resolver, zone: Zone) -> None:
    zone.fails("addresses", "a.example.com")
    for now in (0.0, BRIEF_FAILURE - 0.1, BRIEF_FAILURE):
        assert refusal(resolver, "sip:a.example.com:5060", now)[0] == "dns_timeout"
    assert len(zone.asked) == 2


def test_an_old_answer_stands_in_while_the_name_servers_are_silent(resolver: Resolver, zone: Zone) -> None:
    zone.has("addresses", "a.example.com", HOST_A)
    resolve(resolver, "sip:a.example.com:5060", 0.0)
    zone.fails("addresses", "a.example.com")
    assert resolve(resolver, "sip:a.example.com:5060", 1000.0) == ["udp:192.0.2.1:5060"]
    assert resolve(resolver, "sip:a.example.com:5060", 1000.0 + FAILURE - 1) == ["udp:192.0.2.1:5060"]
    assert len(zone.asked) == 2
    assert refusal(resolver, "sip:a.example.com:5060", 60.0 + STALE)[0] == "dns_timeout"


def test_the_cache_is_bounded(resolver: Resolver, zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sip.dns_answers, "ENTRIES", 5)
    for number in range(20):
        zone.has("addresses", f"{number}.example.com", HOST_A)
        resolve(resolver, f"sip:{number}.example.com:5060")
    assert len(resolver._addresses._entries) == 5


def test_an_address_that_failed_is_tried_last_for_a_while(resolver: Resolver, zone: Zone) -> None:
    zone.has("addresses", "a.example.com", HOST_A, HOST_B)
    first = Address("udp", HOST_A, 5060)
    in_order = ["udp:192.0.2.1:5060", "udp:192.0.2.2:5060"]
    resolver.failed(first, 10.0)
    assert resolve(resolver, "sip:a.example.com:5060", 10.0) == in_order[::-1]
    assert resolve(resolver, "sip:a.example.com:5060", 10.0 + PENALTY) == in_order
    resolver.failed(first, 50.0)
    resolver.answered(first)
    assert resolve(resolver, "sip:a.example.com:5060", 50.0) == in_order


def test_the_memory_of_failed_addresses_is_bounded(resolver: Resolver) -> None:
    for port in range(1, 5000):
        resolver.failed(Address("udp", HOST_A, port), float(port))
    assert len(resolver._failed) <= CANDIDATES * 64


def test_candidates_are_bounded_and_each_comes_once(resolver: Resolver, zone: Zone) -> None:
    zone.has("srv", "_sip._udp.example.com", *(Srv(0, 0, port, "a.example.com") for port in range(1, 100)))
    zone.has("addresses", "a.example.com", HOST_A, HOST_A)
    found = resolve(resolver, "sip:example.com")
    assert len(found) == len(set(found)) == CANDIDATES


def draws(*numbers: float) -> Callable[[], float]:
    left = list(numbers)
    return lambda: left.pop(0)


def test_srv_priorities_come_before_weights() -> None:
    records = [Srv(10, 0, 1, "b"), Srv(5, 0, 1, "a"), Srv(10, 100, 1, "c")]
    assert [record.target for record in order_srv(records, lambda: 0.99)] == ["a", "c", "b"]
    assert [record.target for record in order_srv(records, lambda: 0.0)] == ["a", "b", "c"]


def test_srv_weights_are_drawn_as_rfc_2782_says() -> None:
    records = [Srv(0, 1, 1, "a"), Srv(0, 3, 1, "b"), Srv(0, 0, 1, "z")]
    # running sums: z 0, a 1, b 4; drawn from 0 to 4
    first = [order_srv(records, draws(number / 5, 0.0, 0.0))[0].target for number in range(5)]
    assert first == ["z", "a", "b", "b", "b"]


@given(
    st.lists(
        st.builds(Srv, st.integers(0, 3), st.integers(0, 65535), st.just(1), st.text(max_size=3)), max_size=8
    ),
    st.floats(0, 1, exclude_max=True),
)
def test_srv_order_keeps_every_record_and_sorts_by_priority(records: list[Srv], number: float) -> None:
    ordered = order_srv(records, lambda: number)
    assert sorted(ordered) == sorted(records)
    assert [record.priority for record in ordered] == sorted(record.priority for record in records)
