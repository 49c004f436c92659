"""The registrar: bindings by RFC 3261 section 10.3, and who may not have one (security reference C6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sip.registrar
from sip.bindings import Binding, MemoryBindings
from sip.counters import Counters
from sip.flow import Address, Flow
from sip.message import Request, Response, parse_message
from sip.registrar import Registrar, RegistrarSettings, address_of_record
from sip.uri import Uri

BOB = "sip:bob@example.net"
PHONE = "<sip:bob@192.0.2.9:5070>"
DESK = "<sip:bob@192.0.2.10>"


def make_flow(connection: int = 0, port: int = 5070, host: str = "192.0.2.9") -> Flow:
    transport = "tcp" if connection else "udp"
    return Flow(Address(transport, "192.0.2.1", 5060), Address(transport, host, port), connection)


def make_register(
    *contacts: str,
    cseq: int = 1,
    call_id: str = "a@phone",
    expires: int | None = None,
    to: str = f"<{BOB}>",
    vias: int = 1,
    headers: tuple[tuple[str, str], ...] = (),
) -> Request:
    lines = [("Via", f"SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{number}") for number in range(vias)]
    lines += [("From", f"<{BOB}>;tag=1"), ("To", to), ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER")]
    lines += [("Contact", contact) for contact in contacts]
    if expires is not None:
        lines.append(("Expires", str(expires)))
    request = parse_message(Request("REGISTER", "sip:example.net", [*lines, *headers]).serialise())
    assert isinstance(request, Request)
    return request


@pytest.fixture
def store() -> MemoryBindings:
    return MemoryBindings()


@pytest.fixture
def registrar(store: MemoryBindings) -> Registrar:
    return Registrar(store, forbidden=lambda host, port: (host, port) == ("192.0.2.1", 5060))


def register(registrar: Registrar, request: Request, now: float = 0.0, flow: Flow | None = None) -> Response:
    """Register as bob; the answer must be one our own parser takes."""
    response = registrar.register(request, [BOB], now, flow, to_tag="t")
    assert parse_message(response.serialise()) == response
    assert response.to_tag == "t"
    return response


def reached(registrar: Registrar, now: float = 0.0) -> list[str]:
    return [binding.contact for binding in registrar.contacts(BOB, now)]


def test_a_contact_is_bound_for_the_time_it_asks(registrar: Registrar) -> None:
    response = register(registrar, make_register(f"{PHONE};expires=300", expires=600))
    assert response.status == 200
    assert [str(contact) for contact in response.contacts] == [f"{PHONE};expires=300"]
    assert reached(registrar, 299.0) == ["sip:bob@192.0.2.9:5070"]
    assert reached(registrar, 300.0) == []


@pytest.mark.parametrize(
    ("contact", "expires", "granted"),
    [
        (PHONE, 600, 600),
        (PHONE, None, 3600),
        (PHONE, 100000, 7200),
        (f"{PHONE};expires=4294967295", None, 7200),
        (f"{PHONE};expires=+600", None, 3600),
        (PHONE, 60, 60),
    ],
)
def test_the_interval_is_header_parameter_or_default_within_limits(
    registrar: Registrar, contact: str, expires: int | None, granted: int
) -> None:
    [bound] = register(registrar, make_register(contact, expires=expires)).contacts
    assert bound.param("expires") == str(granted)


def test_too_brief_an_interval_is_refused_with_the_least(registrar: Registrar) -> None:
    response = register(registrar, make_register(PHONE, expires=59))
    assert (response.status, response.headers.get("Min-Expires")) == (423, "60")
    assert reached(registrar) == []


def test_several_contacts_are_offered_by_q_then_the_youngest_first(registrar: Registrar) -> None:
    register(registrar, make_register(f"{PHONE};q=0.5", f'{DESK};q=0.7;methods="INVITE"'))
    register(registrar, make_register("<sip:bob@192.0.2.11>;q=0.5", call_id="b"), 5.0)
    assert reached(registrar, 6.0) == ["sip:bob@192.0.2.10", "sip:bob@192.0.2.11", "sip:bob@192.0.2.9:5070"]
    listed = register(registrar, make_register(call_id="query"), 6.0)
    assert [str(contact) for contact in listed.contacts] == [
        f"{PHONE};q=0.5;expires=3594",
        f'{DESK};methods="INVITE";q=0.7;expires=3594',
        "<sip:bob@192.0.2.11>;q=0.5;expires=3599",
    ]


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("1", 1000),
        ("1.000", 1000),
        ("0", 0),
        ("0.05", 50),
        ("0.123", 123),
        ("1.5", 1000),
        ("x", 1000),
        ("0.1234", 1000),
    ],
)
def test_q_is_read_in_thousandths(registrar: Registrar, text: str, q: int) -> None:
    register(registrar, make_register(f"{PHONE};q={text}"))
    assert [binding.q for binding in registrar.contacts(BOB, 0.0)] == [q]


def test_a_contact_registered_again_is_refreshed_whatever_its_spelling(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE, expires=100))
    register(registrar, make_register("<sip:%62ob@192.0.2.9:5070>", cseq=2, expires=100), 50.0)
    assert len(reached(registrar, 120.0)) == 1


def test_a_contact_with_expires_0_is_taken_back(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE, DESK))
    register(registrar, make_register(f"{PHONE};expires=0", cseq=2))
    assert reached(registrar) == ["sip:bob@192.0.2.10"]
    assert register(registrar, make_register("<sip:never@192.0.2.3>;expires=0", cseq=3)).status == 200


def test_a_star_with_expires_0_takes_everything_back(registrar: Registrar, store: MemoryBindings) -> None:
    register(registrar, make_register(PHONE, DESK))
    response = register(registrar, make_register("*", cseq=2, expires=0))
    assert (response.status, response.contacts, store.addresses_of_record()) == (200, [], [])


@pytest.mark.parametrize("expires", [None, 60])
def test_a_star_with_another_expires_is_refused(registrar: Registrar, expires: int | None) -> None:
    register(registrar, make_register(PHONE))
    assert register(registrar, make_register("*", cseq=2, expires=expires)).status == 400
    assert len(reached(registrar)) == 1


def test_a_user_cannot_bind_anothers_address(registrar: Registrar, store: MemoryBindings) -> None:
    """Hijack: right password, wrong To (security reference C6)."""
    response = register(registrar, make_register(PHONE, to="<sip:alice@example.net>"))
    assert (response.status, store.addresses_of_record()) == (403, [])


def test_the_address_of_record_is_canonical() -> None:
    for text in ("sip:bob@EXAMPLE.net", "sips:%62ob@example.net:5061;transport=tls", BOB):
        assert address_of_record(Uri.parse(text)) == BOB
    assert address_of_record(Uri.parse("sip:example.net")) == "sip:example.net"


def test_the_names_of_this_host_can_be_mapped_to_one(store: MemoryBindings) -> None:
    registrar = Registrar(store, canonical=lambda uri: f"sip:{uri.user_text}@example.net")
    assert register(registrar, make_register(PHONE, to="<sip:bob@192.0.2.1>")).status == 200
    assert len(reached(registrar)) == 1


@pytest.mark.parametrize("again", [f"{PHONE};expires=500", f"{PHONE};expires=0", "*"])
@pytest.mark.parametrize("cseq", [4, 5])
def test_an_older_cseq_of_the_same_call_id_has_no_effect(
    registrar: Registrar, store: MemoryBindings, again: str, cseq: int
) -> None:
    register(registrar, make_register(PHONE, cseq=5))
    before = store.load(BOB)
    assert register(registrar, make_register(again, cseq=cseq, expires=0), 10.0).status == 500
    assert store.load(BOB) == before


def test_all_contacts_of_a_request_are_bound_or_none(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE, cseq=5))
    assert register(registrar, make_register(DESK, PHONE, cseq=5)).status == 500
    assert reached(registrar) == ["sip:bob@192.0.2.9:5070"]


def test_a_captured_register_does_not_bring_a_removed_binding_back(registrar: Registrar) -> None:
    captured = make_register(PHONE, cseq=1, expires=600)
    register(registrar, captured)
    register(registrar, make_register(f"{PHONE};expires=0", cseq=2), 10.0)
    assert register(registrar, captured, 20.0).status == 500
    assert reached(registrar, 20.0) == []
    assert register(registrar, make_register(PHONE, cseq=3), 30.0).status == 200


def test_neither_does_one_after_a_star(registrar: Registrar) -> None:
    captured = make_register(PHONE, cseq=1, expires=600)
    register(registrar, captured)
    register(registrar, make_register("*", cseq=1, call_id="other", expires=0), 10.0)
    assert register(registrar, captured, 20.0).status == 500
    assert register(registrar, captured, 600.0).status == 200  # from then on it had expired anyway


def test_the_memory_of_removed_bindings_is_bounded(
    registrar: Registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sip.registrar, "REMEMBERED", 5)
    for number in range(20):
        register(registrar, make_register(PHONE, call_id=str(number)))
        register(registrar, make_register(f"{PHONE};expires=0", call_id=str(number), cseq=2))
    assert len(registrar._removed) == 5


def test_ten_contacts_are_the_most(registrar: Registrar) -> None:
    def bind(number: int, cseq: int = 1) -> int:
        request = make_register(f"<sip:b@198.51.100.{number}>", call_id=str(number), cseq=cseq)
        return register(registrar, request).status

    assert [bind(number) for number in range(11)] == [200] * 10 + [403]
    assert bind(9, cseq=2) == 200
    assert len(reached(registrar)) == 10


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("<sip:bob@224.0.0.1>", 403),
        ("<sip:bob@0.0.0.0>", 403),
        ("<sip:bob@255.255.255.255>", 403),
        ("<sip:bob@[ff02::1]>", 403),
        ("<sip:bob@[::]>", 403),
        ("<sip:bob@[::ffff:224.0.0.1]>", 403),
        ("<sip:bob@192.0.2.1>", 403),
        ("<sip:bob@192.0.2.1:5060;transport=tcp>", 403),
        ("<sip:bob@192.0.2.1:5062>", 200),
        ("<sip:bob@phone.example.net>", 200),
        ("<tel:+33123456789>", 400),
        ("<http://example.net/>", 400),
    ],
)
def test_contacts_that_calls_must_not_go_to_are_refused(
    registrar: Registrar, contact: str, status: int
) -> None:
    assert register(registrar, make_register(contact)).status == status
    assert len(reached(registrar)) == (status == 200)


def test_an_extension_we_do_not_know_is_refused(registrar: Registrar) -> None:
    response = register(registrar, make_register(PHONE, headers=(("Require", "path, gruu"),)))
    assert (response.status, response.headers.get("Unsupported")) == (420, "gruu")


def test_the_path_is_kept_and_given_back(registrar: Registrar) -> None:
    path = ("Path", "<sip:edge.example.net;lr>, <sip:inner.example.net;lr>")
    response = register(registrar, make_register(PHONE, vias=3, headers=(path,)))
    assert response.headers.get_all("Path") == [path[1]]
    [binding] = registrar.contacts(BOB, 0.0)
    assert binding.path == ("<sip:edge.example.net;lr>", "<sip:inner.example.net;lr>")


@pytest.mark.parametrize(
    ("hop", "status"), [("<sip:224.0.0.1>", 403), ("<sip:192.0.2.1>", 403), ("<sip", 400)]
)
def test_a_path_leads_nowhere_a_contact_may_not(registrar: Registrar, hop: str, status: int) -> None:
    assert register(registrar, make_register(PHONE, headers=(("Path", hop),))).status == status


OUTBOUND = (("Supported", "path, outbound"),)


def make_outbound(reg_id: str = "1", host: str = "192.0.2.9", instance: str = "urn:uuid:1") -> str:
    return f'<sip:bob@{host}>;reg-id={reg_id};+sip.instance="<{instance}>"'


def test_an_outbound_client_keeps_one_binding_per_flow(registrar: Registrar) -> None:
    """RFC 5626 section 6: instance and reg-id are the key, not the contact."""
    for cseq, (reg_id, host, connection) in enumerate(
        [("1", "192.0.2.9", 1), ("2", "192.0.2.9", 2), ("1", "192.0.2.77", 3)], 1
    ):
        request = make_register(make_outbound(reg_id, host), cseq=cseq, headers=OUTBOUND)
        response = register(registrar, request, float(cseq), make_flow(connection))
        assert response.require == ["outbound"]
        assert response.headers.get("Flow-Timer") == "120"
    flows = [
        (one.reg_id, one.uri.host, one.flow and one.flow.connection) for one in registrar.contacts(BOB, 5.0)
    ]
    assert flows == [(1, "192.0.2.77", 3), (2, "192.0.2.9", 2)]


def test_another_instance_is_another_phone(registrar: Registrar) -> None:
    for number in (1, 2):
        request = make_register(make_outbound(instance=f"urn:uuid:{number}"), call_id=str(number))
        register(registrar, request, flow=make_flow(number))
    assert len(reached(registrar)) == 2


def test_over_udp_outbound_is_not_followed(registrar: Registrar) -> None:
    response = register(registrar, make_register(make_outbound(), headers=OUTBOUND), flow=make_flow())
    assert (response.status, response.require) == (200, [])
    assert [(one.reg_id, one.instance_id) for one in registrar.contacts(BOB, 0.0)] == [(None, "<urn:uuid:1>")]


@pytest.mark.parametrize(
    ("path", "supported", "status", "reg_id"),
    [
        ((), OUTBOUND, 439, None),
        ((), (), 200, None),
        ((("Path", "<sip:edge.example.net;lr>"),), OUTBOUND, 439, None),
        ((("Path", "<sip:in.example.net;lr>, <sip:edge.example.net;lr;ob>"),), OUTBOUND, 200, 1),
    ],
)
def test_behind_a_proxy_outbound_needs_one_that_keeps_flows(
    registrar: Registrar,
    path: tuple[tuple[str, str], ...],
    supported: tuple[tuple[str, str], ...],
    status: int,
    reg_id: int | None,
) -> None:
    request = make_register(make_outbound(), vias=2, headers=(*path, *supported))
    assert register(registrar, request, flow=make_flow(1)).status == status
    if status == 200:
        assert registrar.contacts(BOB, 0.0)[0].reg_id == reg_id


@pytest.mark.parametrize("reg_id", ["0", "x", "99999999999"])
def test_a_broken_reg_id_is_refused(registrar: Registrar, reg_id: str) -> None:
    assert register(registrar, make_register(make_outbound(reg_id)), flow=make_flow(1)).status == 400


def test_two_flows_in_one_request_are_refused(registrar: Registrar) -> None:
    request = make_register(make_outbound("1"), make_outbound("2"))
    assert register(registrar, request, flow=make_flow(1)).status == 400


def test_the_flow_is_kept_for_calls_to_the_phone(registrar: Registrar) -> None:
    flow = make_flow(7)
    register(registrar, make_register(PHONE), flow=flow)
    assert registrar.contacts(BOB, 0.0)[0].flow == flow


def test_a_closed_connection_takes_its_bindings_along(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE), flow=make_flow(7))
    register(registrar, make_register(DESK, call_id="b"), flow=make_flow(8))
    assert registrar.flow_closed(make_flow(7), 1.0) == [BOB]
    assert reached(registrar, 1.0) == ["sip:bob@192.0.2.10"]
    assert registrar.flow_closed(make_flow(7), 1.0) == []
    assert registrar.flow_closed(make_flow(), 1.0) == []


def test_a_phone_that_came_back_over_a_new_connection_stays(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE), flow=make_flow(7))
    register(registrar, make_register(PHONE, cseq=2), 1.0, make_flow(8))
    assert registrar.flow_closed(make_flow(7), 2.0) == []
    assert len(reached(registrar, 2.0)) == 1


def test_a_source_with_a_live_registration_is_known(registrar: Registrar) -> None:
    register(registrar, make_register(PHONE, expires=100), flow=make_flow())
    assert registrar.is_registered(make_flow(), 99.0)
    assert not registrar.is_registered(make_flow(), 100.0)
    assert not registrar.is_registered(make_flow(port=9), 0.0)
    register(registrar, make_register(f"{PHONE};expires=0", cseq=2), 50.0, make_flow())
    assert not registrar.is_registered(make_flow(), 51.0)
    assert registrar._sources == {}


def test_two_users_behind_one_address_are_told_apart(store: MemoryBindings) -> None:
    registrar = Registrar(store)
    for user in ("bob", "eve"):
        request = make_register(PHONE, call_id=user, to=f"<sip:{user}@example.net>")
        registrar.register(request, [f"sip:{user}@example.net"], 0.0, make_flow())
    register(registrar, make_register(f"{PHONE};expires=0", call_id="bob", cseq=2), 1.0, make_flow())
    assert registrar.is_registered(make_flow(), 2.0)


def test_expired_bindings_leave_the_store_with_the_next_register(
    registrar: Registrar, store: MemoryBindings
) -> None:
    register(registrar, make_register(PHONE, expires=60))
    register(registrar, make_register(call_id="query"), 61.0)
    assert store.addresses_of_record() == []


def test_stored_bindings_survive_the_registrar(store: MemoryBindings) -> None:
    register(Registrar(store), make_register(PHONE))
    assert reached(Registrar(store)) == ["sip:bob@192.0.2.9:5070"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([PHONE, DESK, "<sip:bob@192.0.2.11>", "*"]),
            st.sampled_from(["a", "b"]),
            st.integers(1, 4),
            st.sampled_from([0, 60, 600]),
            st.integers(0, 100),
        ),
        max_size=12,
    )
)
def test_whatever_comes_the_order_of_each_call_id_is_kept(
    steps: list[tuple[str, str, int, int, int]],
) -> None:
    """A binding's CSeq never goes down while its Call-ID stays, and no contact is bound twice."""
    registrar, now = Registrar(MemoryBindings(), settings=RegistrarSettings()), 0.0
    for contact, call_id, cseq, expires, pause in steps:
        before = {one.contact: one for one in registrar.contacts(BOB, now)}
        register(registrar, make_register(contact, cseq=cseq, call_id=call_id, expires=expires), now)
        after = registrar.contacts(BOB, now)
        assert len({one.contact for one in after}) == len(after) <= 3
        for one in after:
            old: Binding | None = before.get(one.contact)
            assert old is None or old == one or old.call_id != one.call_id or old.cseq < one.cseq
        now += pause


def test_refusals_are_counted_by_their_reason(store: MemoryBindings) -> None:
    """Every drop has a label."""
    counters = Counters()
    registrar = Registrar(store, counters=counters)
    register(registrar, make_register(f"{PHONE};expires=5"))
    register(registrar, make_register("*"))
    register(registrar, make_register(PHONE, to="<sip:carol@example.net>"))
    register(registrar, make_register(f'{PHONE};reg-id=0;+sip.instance="<urn:x>"'), flow=make_flow(3))
    assert counters.snapshot() == {
        "register_brief": 1,
        "register_star": 1,
        "register_foreign_aor": 1,
        "register_malformed_reg_id": 1,
    }
