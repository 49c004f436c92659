"""Reading and writing whole messages: the checks of arrival, the typed readings, and answers."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import Misuse, ParseError
from sip.message import (
    MAX_BODY,
    MAX_CONTACTS,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_LINE,
    MAX_ROUTES,
    MAX_VIAS,
    REASONS,
    CSeq,
    Request,
    Response,
    parse_message,
    response_to,
)
from sip.via import Via
from tests.sip.strategies import requests, responses
from tests.sip.test_grammar import NOT_NUMBERS

GOOD = {
    "Via": "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport",
    "From": '"Alice" <sip:alice@example.com>;tag=a1',
    "To": "<sip:bob@example.com>",
    "Call-ID": "c1@192.0.2.1",
    "CSeq": "7 INVITE",
    "Max-Forwards": "70",
}


def raw(
    *more: str, start: str = "INVITE sip:bob@example.com SIP/2.0", body: bytes = b"", **values: str | None
) -> bytes:
    """Write a message from the good headers; ``Call_ID="x"`` changes one, None leaves it out."""
    fields = GOOD | {name.replace("_", "-"): value for name, value in values.items()}
    lines = [start, *(f"{name}: {value}" for name, value in fields.items() if value is not None), *more]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def changed(name: str, value: str | None, *more: str) -> bytes:
    """Write the good message with one header changed."""
    lines = [f"{key}: {old}" for key, old in GOOD.items() if key != name]
    lines += [*more] if value is None else [f"{name}: {value}", *more]
    head = "\r\n".join(["INVITE sip:bob@example.com SIP/2.0", *lines, "", ""])
    return head.encode("utf-8", "surrogateescape")


def request(data: bytes, stream: bool = False) -> Request:
    """Read a request that has to be acceptable."""
    message = parse_message(data, stream=stream)
    assert isinstance(message, Request)
    return message


def refuse(data: bytes, stream: bool = False) -> ParseError:
    """Read a message that has to be refused."""
    with pytest.raises(ParseError) as raised:
        parse_message(data, stream=stream)
    return raised.value


class TestRoundTrip:
    """A1: one parser, one reading."""

    @given(requests())
    def test_requests(self, message: Request) -> None:
        """What we write is what we read, over both kinds of transport."""
        data = message.serialise()
        for stream in (False, True):
            assert parse_message(data, stream=stream) == message
        assert request(data).serialise() == data

    @given(responses())
    def test_responses(self, message: Response) -> None:
        """Responses too."""
        assert parse_message(message.serialise(), stream=True) == message

    @given(
        st.binary(max_size=300)
        | st.binary(max_size=200).map(raw().__add__)
        | st.binary(max_size=200).map(lambda junk: raw(X=None)[:-2] + junk)
    )
    def test_junk(self, data: bytes) -> None:
        """Any bytes are a message that survives writing, or a ParseError."""
        for stream in (False, True):
            with contextlib.suppress(ParseError):
                message = parse_message(data, stream=stream)
                assert parse_message(message.serialise(), stream=True) == message

    def test_content_length_is_last_and_computed(self) -> None:
        """Whatever length was said before, ours is that of the body."""
        message = request(raw("l: 3", body=b"abcdef"))
        message.body = b"ab"
        message.headers.add("Content-Length", "77")
        assert message.serialise().endswith(b"\r\nContent-Length: 2\r\n\r\nab")
        assert message.serialise().count(b"ength") == 1


class TestReadings:
    """The typed properties."""

    def test_all_of_them(self) -> None:
        """Each header has its reading, whatever its form and case."""
        message = request(
            raw(
                "v: SIP/2.0/TCP p1, SIP/2.0/TCP p2",
                "m: <sip:alice@192.0.2.1>, sip:a2@h;q=0.1",
                "ROUTE: <sip:p1;lr>, <sip:p2;lr>",
                "Record-Route: <sip:r1;lr>",
                "Expires: 3600",
                'c: Application / SDP;charset="utf-8"',
                "Require: 100rel, x",
                "k: timer",
                "Allow: INVITE, ACK",
                "o: dialog ; id=7",
                "Unknown: whatever",
            )
        )
        assert [via.host for via in message.vias] == ["192.0.2.1", "p1", "p2"]
        assert (message.via.port, message.call_id, message.cseq) == (5060, "c1@192.0.2.1", CSeq(7, "INVITE"))
        assert (message.from_.display, message.from_tag, message.to_tag) == ("Alice", "a1", None)
        assert [str(contact) for contact in message.contacts] == ["<sip:alice@192.0.2.1>", "<sip:a2@h>;q=0.1"]
        assert [str(route.uri) for route in message.routes] == ["sip:p1;lr", "sip:p2;lr"]
        assert [str(route.uri) for route in message.record_routes] == ["sip:r1;lr"]
        assert (message.max_forwards, message.expires) == (70, 3600)
        assert (message.content_type, message.content_type_param("Charset")) == ("application/sdp", "utf-8")
        assert (message.require, message.supported, message.allow) == (
            ["100rel", "x"],
            ["timer"],
            ["INVITE", "ACK"],
        )
        assert (message.event, message.event_id) == ("dialog", "7")
        assert (message.request_uri.user, str(message.cseq)) == ("bob", "7 INVITE")

    def test_nothing_there(self) -> None:
        """Optional headers that are absent read as nothing."""
        message = request(raw(Max_Forwards=None))
        assert (message.max_forwards, message.expires, message.content_type, message.event) == (None,) * 4
        assert (message.content_type_param("x"), message.event_id) == (None, None)
        assert [message.contacts, message.routes, message.record_routes, message.require] == [[], [], [], []]
        assert not message.contact_star

    def test_a_message_of_ours_may_lack_what_it_needs(self) -> None:
        """Asking a half-made message for a mandatory header is an error with the header's name."""
        message = Request("INVITE", "sip:b@h")
        for name in ("via", "from_", "to", "call_id", "cseq"):
            with pytest.raises(ParseError, match=f"missing_{name.rstrip('_')}"):
                getattr(message, name)

    def test_readings_are_held_until_their_header_changes(self) -> None:
        """A reading is the same object until its header, by any name, is changed."""
        message = request(raw("Contact: <sip:a@h>"))
        first = message.vias
        message.headers.set("To", "<sip:carol@h>;tag=9")
        assert message.vias is first
        assert message.to_tag == "9"
        message.headers.prepend("v", "SIP/2.0/UDP new")
        assert message.via.host == "new"
        message.headers.set("t", "<sip:dave@h>")
        assert message.to.uri.user == "dave"
        message.headers.remove("m")
        assert message.contacts == []
        message.uri = "sip:new@h"
        assert message.request_uri.user == "new"

    def test_contact_star(self) -> None:
        """``*`` is for REGISTER, and alone."""
        star = raw("Contact: *", "Expires: 0", start="REGISTER sip:h SIP/2.0", CSeq="1 REGISTER")
        message = request(star)
        assert (message.contact_star, message.contacts, message.expires) == (True, [], 0)
        assert refuse(raw("Contact: *")).label == "contact"
        for other in ("Contact: *, <sip:a@h>", "Contact: *\r\nm: *", "Contact: *\r\nContact: <sip:a@h>"):
            assert refuse(raw(other, start="REGISTER sip:h SIP/2.0", CSeq="1 REGISTER")).status == 400

    def test_replacing_the_top_via(self) -> None:
        """The server's additions go to the first value; the others stay, also those of its line."""
        message = request(raw("Via: SIP/2.0/TCP p3", Via="SIP/2.0/UDP p1;rport, SIP/2.0/TCP p2"))
        message.replace_top_via(message.via.with_params(received="192.0.2.7", rport=9))
        assert [via.host for via in message.vias] == ["p1", "p2", "p3"]
        again = request(message.serialise())
        assert again.vias == message.vias
        assert (again.via.received, again.via.rport) == ("192.0.2.7", 9)
        with pytest.raises(Misuse):
            Request("INVITE", "sip:b@h").replace_top_via(Via.parse("SIP/2.0/UDP h"))

    def test_copies_and_equality(self) -> None:
        """A copy is equal until it is changed; requests and responses never are."""
        message = request(raw())
        twin = message.copy()
        twin.headers.set("To", "<sip:x@h>")
        assert (message.to.uri.user, twin == message, message.copy() == message) == ("bob", False, True)
        response = response_to(message, 200)
        assert response.copy() == response
        assert response != message
        assert message != response
        assert len({message, response}) == 2
        assert (repr(message), repr(response)) == (
            "<Request INVITE sip:bob@example.com>",
            "<Response 200 OK>",
        )

    def test_what_is_written_cannot_break_the_start_line(self) -> None:
        """A line break in a method, a URI or a reason phrase is our bug."""
        for message in (Request("A\r\nB", "sip:h"), Request("A", "sip:h\n"), Response(200, "OK\r\nVia: x")):
            with pytest.raises(Misuse):
                message.serialise()


class TestStartLine:
    """RFC 3261 section 7.1 and 7.2, rule A9."""

    @pytest.mark.parametrize(
        ("start", "label", "status"),
        [
            ("INVITE sip:b@h SIP/3.0", "version", 505),
            ("INVITE sip:b@h SIP/2.1", "version", 505),
            ("INVITE sip:b@h SIP/22.0", "version", 505),
            ("INVITE sip:b@h HTTP/1.1", "request_line", 400),
            ("INVITE sip:b@h", "request_line", 400),
            ("INVITE", "request_line", 400),
            ("INVITE  sip:b@h SIP/2.0", "request_line", 400),
            ("INVITE\tsip:b@h\tSIP/2.0", "method", 400),
            (" INVITE sip:b@h SIP/2.0", "method", 400),
            ("INVITE sip:b@h SIP/2.0 ", "request_line", 400),
            ("INV(TE sip:b@h SIP/2.0", "method", 400),
            ("INVITÉ sip:b@h SIP/2.0", "method", 400),
            ("INVITE sip:b@h?a=b SIP/2.0", "request_uri", 400),
            ("INVITE b@h SIP/2.0", "uri", 400),
        ],
    )
    def test_bad_request_lines(self, start: str, label: str, status: int) -> None:
        """The request is refused, and answered."""
        error = refuse(raw(start=start))
        assert (error.label, error.status) == (label, status)
        assert isinstance(error.message, Request)
        answer = response_to(error.message, error.status).serialise()
        assert answer.startswith(b"SIP/2.0 ")

    def test_mixed_case_and_any_method(self) -> None:
        """The version is case-insensitive, a method is any token and case-sensitive."""
        assert request(raw(start="INVITE sip:b@h sip/2.0")).method == "INVITE"
        assert request(raw(start="invite sip:b@h SIP/2.0", CSeq="1 invite")).method == "invite"
        assert refuse(raw(start="invite sip:b@h SIP/2.0")).label == "cseq_method"
        long_method = "X-" + "VERYLONG" * 50
        assert (
            request(raw(start=f"{long_method} sip:b@h SIP/2.0", CSeq=f"1 {long_method}")).method
            == long_method
        )

    @pytest.mark.parametrize("code", ["99", "700", "1000", "20", "2 0", "+20", "２００", "", "-20", "0200"])
    def test_bad_status_codes(self, code: str) -> None:
        """A status code has three digits, from 100 to 699; a bad response is never answered."""
        error = refuse(raw(start=f"SIP/2.0 {code} x"))
        assert (error.label, error.message) == ("status_code", None)

    def test_responses(self) -> None:
        """A response may have another CSeq method than we sent, and no reason phrase."""
        message = parse_message(raw(start="sip/2.0 200"))
        assert isinstance(message, Response)
        assert (message.status, message.reason) == (200, "")
        assert refuse(raw(start="SIP/3.0 200 OK")).label == "version"

    def test_empty_lines_before_it(self) -> None:
        """CRLFs before the start line are skipped, lone CRs and LFs are not."""
        assert request(b"\r\n\r\n" + raw()).method == "INVITE"
        for junk in (b"\n", b"\r", b"\r\n\n", b"\r\n\r"):
            assert refuse(junk + raw()).status == 400

    @pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n"])
    def test_keep_alives_are_no_messages(self, data: bytes) -> None:
        """An empty datagram, or one of CRLFs, has a label of its own."""
        error = refuse(data)
        assert (error.label, error.message) == ("empty", None)


class TestBounds:
    """A3: each bound at its edge."""

    def edge(self, make: Callable[[int], bytes], limit: int, label: str) -> None:
        """The limit is accepted, one more is refused and answered."""
        parse_message(make(limit))
        error = refuse(make(limit + 1))
        assert (error.label, error.status in (400, 413, 513)) == (label, True)
        assert isinstance(error.message, Request)

    def test_start_line(self) -> None:
        """8 KiB."""
        fixed = len("INVITE sip:@h SIP/2.0")
        self.edge(lambda n: raw(start=f"INVITE sip:{'a' * (n - fixed)}@h SIP/2.0"), MAX_LINE, "line_length")

    def test_header_line(self) -> None:
        """8 KiB, folds included."""
        self.edge(lambda n: raw("X: " + "a" * (n - 3)), MAX_LINE, "line_length")
        folded = "X: " + "\r\n ".join(["a" * 1000] * 9)
        assert refuse(raw(folded)).label == "line_length"

    def test_header_block(self) -> None:
        """64 KiB."""
        base = len(raw()) - 4

        def make(size: int) -> bytes:
            count, rest = divmod(size - base, 1000)
            return raw(*["Q: " + "a" * 995] * (count - 1), "Q: " + "a" * (995 + rest))

        assert len(make(MAX_HEAD)) == MAX_HEAD + 4
        self.edge(make, MAX_HEAD, "head_length")

    def test_header_lines(self) -> None:
        """256."""
        self.edge(lambda n: raw(*["Q: a"] * (n - len(GOOD))), MAX_HEADERS, "many_headers")

    @pytest.mark.parametrize(
        ("name", "value", "limit", "label"),
        [
            ("Via", "SIP/2.0/UDP h", MAX_VIAS, "many_via"),
            ("Route", "<sip:h;lr>", MAX_ROUTES, "many_route"),
            ("Record-Route", "<sip:h;lr>", MAX_ROUTES, "many_record_route"),
            ("Contact", "<sip:h>", MAX_CONTACTS, "many_contact"),
        ],
    )
    def test_values(self, name: str, value: str, limit: int, label: str) -> None:
        """As lines and as a list."""
        have = 1 if name == "Via" else 0
        self.edge(lambda n: raw(*[f"{name}: {value}"] * (n - have)), limit, label)
        self.edge(lambda n: raw(f"{name}: " + ",".join([value] * (n - have))), limit, label)

    def test_body(self) -> None:
        """256 KiB over a stream."""
        parse_message(raw(f"l: {MAX_BODY}", body=bytes(MAX_BODY)), stream=True)
        error = refuse(raw(f"l: {MAX_BODY + 1}", body=bytes(MAX_BODY + 1)), stream=True)
        assert (error.label, error.status) == ("body_length", 413)

    def test_many_accepts(self) -> None:
        """Hundreds of Accept headers cost nothing but their lines (CVE-2018-7284)."""
        assert len(request(raw(*["Accept: a/b"] * 200)).headers.get_list("Accept")) == 200


def cost(data: bytes) -> float:
    """Return the least time of several readings, without what other programs take."""
    best = 1e9
    for _ in range(7):
        start = time.thread_time()
        with contextlib.suppress(ParseError):
            parse_message(data)
        best = min(best, time.thread_time() - start)
    return best


_SHAPES: dict[str, Callable[[int], str]] = {
    "folds": lambda n: "X: " + "\r\n a" * (n // 4),
    "blank folds": lambda n: "X: " + "\r\n " * (n // 3),
    "lines": lambda n: "\r\n".join(["X: y"] * (n // 6)),
    "quotes": lambda n: "Contact: " + '"a" ' * (n // 4),
    "open quotes": lambda n: 'Contact: "' + '\\"' * (n // 2),
    "commas": lambda n: "Contact: " + "," * n,
    "quoted commas": lambda n: "Contact: " + '",",' * (n // 4),
    "angle brackets": lambda n: "Contact: " + "<" * n,
    "closed brackets": lambda n: "Contact: " + "<>," * (n // 3),
    "parameters": lambda n: "Contact: <sip:a@h>" + ";a=b" * (n // 4),
    "quoted parameters": lambda n: "Contact: <sip:a@h>" + ';a="b"' * (n // 6),
    "semicolons": lambda n: "Contact: <sip:a@h>" + ";" * n,
    "backslashes": lambda n: 'Contact: "' + "\\" * n,
    "blanks": lambda n: "Content-Type: a" + " " * n + "/ b",
    "tabs": lambda n: "Contact: " + "\t" * n + "<sip:a@h>",
    "escapes": lambda n: "Contact: <sip:" + "%61" * (n // 3) + "@h>",
    "digits": lambda n: "Expires: " + "9" * n,
    "vias": lambda n: "Via: " + "SIP/2.0/UDP h," * (n // 14),
    "routes": lambda n: "Route: " + "<sip:h;lr>," * (n // 11),
    "control characters": lambda n: 'Contact: "' + "\\\0" * (n // 2),
    "colons": lambda n: ":" * n,
    "carriage returns": lambda n: "X: " + "\r" * n,
    "line feeds": lambda n: "X: " + "\n" * n,
    "token list": lambda n: "Supported: " + "a," * (n // 2),
}


@pytest.mark.parametrize("shape", _SHAPES.values(), ids=_SHAPES.keys())
def test_linear_cost(shape: Callable[[int], str]) -> None:
    """A4: eight times the bytes cost about eight times the work.

    The bound is twice the rule, as other programs share the processor; a quadratic reading is 64 times.
    """
    gc.disable()
    try:
        for _ in range(3):  # a busy machine may spoil a measurement, not three
            small, large = cost(raw(shape(8000))), cost(raw(shape(64000)))
            if large <= 16 * small + 0.001:
                return
    finally:
        gc.enable()
    pytest.fail(f"8 kB took {small * 1e3:.2f} ms, 64 kB {large * 1e3:.2f} ms")


class TestIntegers:
    """A5: ASCII digits only, within a range."""

    @pytest.mark.parametrize("digits", [text for text in NOT_NUMBERS if text.strip(" \t") == text and text])
    @pytest.mark.parametrize("name", ["CSeq", "Max-Forwards", "Content-Length", "Expires"])
    def test_only_ascii_digits(self, name: str, digits: str) -> None:
        """In each numeric header."""
        value = f"{digits} INVITE" if name == "CSeq" else digits
        error = refuse(changed(name, value))
        assert error.status == 400
        assert isinstance(error.message, Request)

    @pytest.mark.parametrize(
        ("name", "good", "bad", "label"),
        [
            ("CSeq", "2147483647 INVITE", "2147483648 INVITE", "cseq_range"),
            ("Max-Forwards", "255", "256", "max_forwards_range"),
            ("Expires", "4294967295", "4294967296", "expires_range"),
        ],
    )
    def test_ranges(self, name: str, good: str, bad: str, label: str) -> None:
        """Each range at its edge."""
        parse_message(changed(name, good))
        assert refuse(changed(name, bad)).label == label

    @pytest.mark.parametrize(
        "value", ["7", "INVITE", "7 INVITE x", "7\u00a0INVITE", "7INVITE", "7,INVITE", ""]
    )
    def test_cseq_has_two_words(self, value: str) -> None:
        """A number, blanks, a method."""
        assert refuse(raw(CSeq=value)).status == 400
        assert request(raw(CSeq="7 \t INVITE")).cseq == (7, "INVITE")


class TestLines:
    """A6 and A7: what a line is, and what its name is."""

    @pytest.mark.parametrize("code", [code for code in (*range(32), 127) if code != 9])
    def test_control_characters_before_the_colon(self, code: int) -> None:
        """400, for each of them; SP and HTAB are white space."""
        assert refuse(raw(f"X{chr(code)}: y")).status == 400
        assert request(raw("X \t : y")).headers.get("X") == "y"

    @pytest.mark.parametrize("code", [code for code in (*range(32), 127) if code != 9])
    @pytest.mark.parametrize("name", ["Subject", "From", "Call-ID", "X"])
    def test_control_characters_in_values(self, name: str, code: int) -> None:
        """400, and the answer has no header that the request did not have as one."""
        value = f"{GOOD.get(name, 'x')}{chr(code)}Via: injected"
        error = refuse(changed(name, value))
        assert (error.label, error.status) == ("control_character", 400)
        assert isinstance(error.message, Request)
        answer = response_to(error.message, 400).serialise()
        assert b"injected" not in answer
        assert chr(code).encode() not in answer.replace(b"\r\n", b"")

    def test_quoted_control_characters(self) -> None:
        """A backslash may bring one into a display name, from where we drop it; not into a Call-ID."""
        message = request(raw(From='"a\\\0b\\"\\\x07" <sip:a@h>;tag="\\\x7f1"'))
        assert (message.from_.display, message.from_.param("tag")) == ('ab"', "1")
        assert b"\0" not in message.serialise()
        for value in ('"a\\\0"', '"\\\r"', "\\\0"):
            assert refuse(raw(Call_ID=value)).label == "control_character"
        for value in ('"a\\\nb" <sip:a@h>', '"a\0b" <sip:a@h>', "a\\\0 <sip:a@h>", '"a\\\\\0" <sip:a@h>'):
            assert refuse(raw(From=value)).label == "control_character"

    def test_a_control_character_in_the_start_line(self) -> None:
        """The whole line is worthless, the headers still name whom to answer."""
        error = refuse(raw(start="INVITE sip:b\0@h SIP/2.0"))
        assert (error.label, error.status) == ("control_character", 400)

    def test_folds(self) -> None:
        """A fold is a blank, wherever a blank may be."""
        message = request(
            raw(From='"A"\r\n\t<sip:a@h>\r\n ;tag\r\n  =\r\n 5', Call_ID="\r\n c2", Subject="a\r\n b")
        )
        assert (message.from_tag, message.call_id, message.headers.get("subject")) == ("5", "c2", "a b")

    @pytest.mark.parametrize("junk", ["X\r\n : y", "X\r\n\t: y", "X\r\n y: z"])
    def test_no_folds_in_names(self, junk: str) -> None:
        """Two parsers could read two names."""
        assert refuse(raw(junk)).label == "fold"

    def test_no_fold_in_the_start_line(self) -> None:
        """Nor two start lines."""
        assert refuse(raw(start="INVITE sip:b@h\r\n SIP/2.0")).label == "fold"
        assert refuse(raw(start="SIP/2.0 200 OK\r\n x")).label == "fold"

    def test_a_line_without_a_colon(self) -> None:
        """400."""
        assert refuse(raw("no colon here")).label == "header_name"

    def test_an_unfinished_header_block(self) -> None:
        """A datagram cut before its blank line is refused, with what could be read."""
        error = refuse(raw()[:-2])
        assert (error.label, isinstance(error.message, Request)) == ("unfinished", True)

    def test_encoding(self) -> None:
        """UTF-8 goes through, other bytes are 400 and come back as they were."""
        message = request(raw("X-Ort: Zürich", From='"Zoë" <sip:z@h>;tag=1'))
        assert (message.from_.display, message.headers.get("x-ort")) == ("Zoë", "Zürich")
        error = refuse(raw(From='"Zo\udceb" <sip:z@h>;tag=1'))
        assert (error.label, error.status) == ("encoding", 400)
        assert isinstance(error.message, Request)
        assert b'"Zo\xeb" <sip:z@h>' in response_to(error.message, 400).serialise()

    def test_escaped_line_breaks_stay_escaped(self) -> None:
        """``%0d%0a`` in a URI never becomes a line break, in an answer or anywhere else."""
        message = request(raw(From="<sip:a%0d%0aVia:x@h>;tag=1", start="INVITE sip:b%0D%0A@h SIP/2.0"))
        assert message.request_uri.user_text == "b%0D%0A"
        assert "\r" not in (message.from_.uri.user_text or "")
        answer = parse_message(
            response_to(message, 200, headers=[("Contact", str(message.from_))]).serialise()
        )
        assert answer.headers.count("via") == 1

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
    @settings(max_examples=200)
    def test_an_answer_has_no_header_the_request_had_not(self, text: str) -> None:
        """Whatever a display name, a tag or a Call-ID holds."""
        for name, value in (
            ("From", f'"{text}" <sip:a@h>;tag=1'),
            ("Call-ID", text),
            ("To", f"<sip:{text}@h>"),
        ):
            data = changed(name, value)
            try:
                message: object = parse_message(data)
            except ParseError as error:
                message = error.message
            if isinstance(message, Request):
                answer = response_to(message, 400, to_tag="t").headers
                assert set(answer.keys()) <= set(message.headers.keys())


class TestSingleHeaders:
    """A8: twice is once too many, whether equal or not."""

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("From: <sip:a@h>", "f: <sip:a@h>"),
            ("To: <sip:a@h>", "t: <sip:b@h>"),
            ("Call-ID: x", "i: x"),
            ("CSeq: 7 INVITE", "CSEQ: 7 INVITE"),
            ("Max-Forwards: 70", "max-forwards: 70"),
            ("Content-Length: 0", "l: 0"),
            ("Content-Type: a/b", "c: a/b"),
            ("Event: x", "o: x"),
            ("Expires: 1", "EXPIRES: 1"),
            ("Refer-To: <sip:a@h>", "r: <sip:b@h>"),
        ],
    )
    def test_twice(self, first: str, second: str) -> None:
        """The compact form counts as the same header."""
        name = first.partition(":")[0]
        error = refuse(changed(name, None, first, second))
        assert (error.label, error.status) == (f"repeated_{name.lower().replace('-', '_')}", 400)

    @pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
    def test_missing(self, name: str) -> None:
        """A mandatory header that is missing is 400; without a Via there is nowhere to answer."""
        error = refuse(changed(name, None))
        assert (error.label, error.status) == (f"missing_{name.lower().replace('-', '_')}", 400)
        assert (error.message is None) == (name == "Via")

    @pytest.mark.parametrize("start", ["SIP/2.0 200 OK", "ACK sip:b@h SIP/2.0"])
    def test_never_answered(self, start: str) -> None:
        """A10: a broken response or ACK carries nothing to answer."""
        assert refuse(raw(start=start, To=None)).message is None


class TestBodies:
    """Content-Length and Content-Type."""

    def test_in_a_datagram(self) -> None:
        """Absent: the rest is the body. Less: what follows is ignored. More: 400."""
        assert request(raw(body=b"abc")).body == b"abc"
        assert request(raw("l: 2", body=b"abc")).body == b"ab"
        assert refuse(raw("l: 4", body=b"abc")).label == "content_length"

    def test_in_a_stream(self) -> None:
        """It has to be there and right."""
        assert request(raw("l: 3", body=b"abc"), stream=True).body == b"abc"
        for length in ("2", "4"):
            assert refuse(raw(f"l: {length}", body=b"abc"), stream=True).label == "content_length"
        assert refuse(raw(body=b"abc"), stream=True).label == "missing_content_length"

    @pytest.mark.parametrize("value", ["3, 3", "3;x", "3 3", "-3", "+3", "0x3"])
    def test_one_number(self, value: str) -> None:
        """A list or a sign is 400 everywhere."""
        for stream in (False, True):
            assert (
                refuse(raw(f"Content-Length: {value}", body=b"abc"), stream=stream).label == "content_length"
            )

    @pytest.mark.parametrize(
        "value", ["", "a", "a/", "/b", "a b/c", "a/b c", "ä/b", "a/b;", "a/b;c=", "a/b/c"]
    )
    def test_content_type(self, value: str) -> None:
        """``type/subtype`` and legal parameters."""
        assert refuse(raw(Content_Type=value)).status == 400
        assert request(raw(Content_Type="a/b;c")).content_type == "a/b"

    @pytest.mark.parametrize("value", ["", "a b", "a;", ";id=1", "a;id="])
    def test_event(self, value: str) -> None:
        """A package and legal parameters."""
        assert refuse(raw(Event=value)).status == 400
        assert request(raw(Event="a;id")).event_id == ""
        assert request(raw(Event="presence")).event == "presence"

    @pytest.mark.parametrize("name", ["Require", "Supported", "Allow"])
    def test_open_quotes_in_lists(self, name: str) -> None:
        """What is read as a list has to be one."""
        assert refuse(changed(name, 'a, "b')).label == "quote"

    @pytest.mark.parametrize("name", ["From", "To"])
    def test_empty_tags(self, name: str) -> None:
        """A tag without a value names no dialog."""
        assert refuse(changed(name, "<sip:a@h>;tag")).label == "tag"

    @pytest.mark.parametrize("value", ["", "a b", "a,b", "ä", "a\tb"])
    def test_call_id(self, value: str) -> None:
        """A Call-ID is one word."""
        assert refuse(raw(Call_ID=value)).label == "call_id"


class TestAnswers:
    """RFC 3261 section 8.2.6."""

    def test_what_is_copied(self) -> None:
        """Via in order, From, To, Call-ID, CSeq and Timestamp, as they were written; a tag where none was."""
        data = raw(
            "v: SIP/2.0/TCP p2",
            "Timestamp: 54",
            "Record-Route: <sip:p;lr>",
            "Subject: x",
            From="A <sip:a@h>;tag=1",
        )
        answer = response_to(request(data), 180, to_tag="ours", headers=[("Contact", "<sip:b@h>")])
        assert answer.serialise().decode().split("\r\n") == [
            "SIP/2.0 180 Ringing",
            f"Via: {GOOD['Via']}",
            "v: SIP/2.0/TCP p2",
            "From: A <sip:a@h>;tag=1",
            "To: <sip:bob@example.com>;tag=ours",
            "Call-ID: c1@192.0.2.1",
            "CSeq: 7 INVITE",
            "Timestamp: 54",
            "Contact: <sip:b@h>",
            "Content-Length: 0",
            "",
            "",
        ]

    def test_record_route_and_body(self) -> None:
        """A response that makes a dialog carries the route; a body comes with its type."""
        message = request(raw("Record-Route: <sip:p;lr>"))
        answer = response_to(
            message, 200, "Fine", record_route=True, body=b"v=0", content_type="application/sdp"
        )
        assert [str(route) for route in answer.record_routes] == ["<sip:p;lr>"]
        assert (answer.reason, answer.content_type, answer.body) == ("Fine", "application/sdp", b"v=0")
        assert response_to(message, 200, body=b"x").content_type == "application/octet-stream"

    def test_the_tag(self) -> None:
        """Never in a 100, never a second one, and not where To cannot be read."""
        message = request(raw())
        assert response_to(message, 100, to_tag="t").to_tag is None
        assert response_to(message, 200).to_tag is None
        assert response_to(request(raw(To="<sip:b@h>;tag=z")), 200, to_tag="t").to_tag == "z"
        broken = refuse(raw(To='"b <sip:b@h>')).message
        assert isinstance(broken, Request)
        assert response_to(broken, 400, to_tag="t").headers.get("To") == '"b <sip:b@h>'

    def test_no_injection(self) -> None:
        """A header we add cannot hold another."""
        with pytest.raises(Misuse):
            response_to(request(raw()), 200, headers=[("Warning", "a\r\nVia: b")])

    def test_reasons(self) -> None:
        """Known codes have their phrase, others none."""
        assert response_to(request(raw()), 299).reason == ""
        assert all(100 <= code < 700 and phrase for code, phrase in REASONS.items())
