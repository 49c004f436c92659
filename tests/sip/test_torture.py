"""The 49 torture messages of RFC 4475 at the message layer; the engine is tested with the same table."""

from __future__ import annotations

import pytest

from sip.errors import ParseError
from sip.framing import Bad, Frame, StreamFramer
from sip.message import Request, Response, parse_message, response_to
from sip.multipart import parse_multipart
from sip.uri import Uri
from tests.sip.torture_table import MESSAGES, TABLE, Torture

VALID = [torture for torture in TABLE if torture.valid]
INVALID = [torture for torture in TABLE if not torture.valid]
BY_NAME = {torture.name: torture for torture in TABLE}


def request(name: str) -> Request:
    """Read a message that has to be an acceptable request."""
    message = parse_message(BY_NAME[name].read())
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    """Read a message that has to be an acceptable response."""
    message = parse_message(BY_NAME[name].read())
    assert isinstance(message, Response)
    return message


def test_the_table_is_complete() -> None:
    """There are 49 messages, each with its file, and no file without a row."""
    assert len(TABLE) == 49
    assert sorted(path.stem for path in MESSAGES.glob("*.sip")) == sorted(BY_NAME)


@pytest.mark.parametrize("torture", VALID, ids=lambda torture: torture.name)
def test_valid_messages_are_accepted_and_kept(torture: Torture) -> None:
    """A valid message is accepted, and what we write of it reads the same."""
    message = parse_message(torture.read())
    assert parse_message(message.serialise()) == message


@pytest.mark.parametrize("torture", INVALID, ids=lambda torture: torture.name)
def test_invalid_messages_are_refused(torture: Torture) -> None:
    """An invalid request draws the answer of the RFC, an invalid response nothing at all."""
    with pytest.raises(ParseError) as raised:
        parse_message(torture.read())
    error = raised.value
    assert error.label.startswith(torture.label)
    if torture.statuses is None:
        assert error.message is None
        return
    assert error.status in torture.statuses
    assert isinstance(error.message, Request)
    answer = response_to(error.message, error.status, to_tag="ours")
    assert answer.serialise().startswith(f"SIP/2.0 {error.status} ".encode())
    assert answer.headers.get_all("via") == error.message.headers.get_all("via")


@pytest.mark.parametrize("torture", VALID, ids=lambda torture: torture.name)
def test_valid_requests_can_be_answered(torture: Torture) -> None:
    """The answer to a valid request is itself a valid response of the same transaction."""
    message = parse_message(torture.read())
    if isinstance(message, Response):
        assert torture.statuses is None
        return
    answer = parse_message(response_to(message, 404, to_tag="ours").serialise())
    assert (answer.via, answer.cseq, answer.call_id) == (message.via, message.cseq, message.call_id)
    assert answer.to_tag == (message.to_tag or "ours")


@pytest.mark.parametrize("torture", TABLE, ids=lambda torture: torture.name)
@pytest.mark.parametrize("step", [1, 7, 65536])
def test_over_a_stream(torture: Torture, step: int) -> None:
    """Cut from a stream the message is the same, or the stream ends with the reason."""
    data = torture.read()
    framer = StreamFramer(0.0)
    for at in range(0, len(data), step):
        framer.receive(data[at : at + step], 0.0)
    first = framer.take_outputs()[:1]
    if torture.name == "clerr":
        assert first == []  # it waits for the rest, and the timer ends it
    elif torture.name in ("ncl", "mcl01", "inv2543"):
        assert isinstance(first[0], Bad)
        assert isinstance(first[0].error.message, Request)
    else:
        assert isinstance(first[0], Frame)
        assert data.startswith(first[0].data)
        if torture.valid:
            assert parse_message(first[0].data, stream=True) == parse_message(data)


class TestReadings:
    """What the RFC says a valid message means."""

    def test_wsinv(self) -> None:
        """Folds and blanks change nothing of the values."""
        message = request("wsinv")
        assert (message.max_forwards, message.cseq) == (68, (9, "INVITE"))
        assert (message.to_tag, message.from_tag) == ("1918181833n", "98asjd8")
        assert message.from_.display == 'J Rosenberg \\"'
        assert [via.host for via in message.vias] == ["192.0.2.2", "spindle.example.com", "192.168.255.111"]
        assert message.vias[2].branch == "z9hG4bK30239"
        assert message.headers.get("Subject") == ""
        assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
        contact = message.contacts[0]
        assert (contact.display, contact.param("newparam"), contact.param("q")) == (
            'Quoted string ""',
            "newvalue",
            "0.33",
        )
        assert contact.has_param("secondparam")
        assert message.routes[0].uri.has_param("lr")

    def test_intmeth(self) -> None:
        """Unusual characters stay; control characters of the display name do not."""
        message = request("intmeth")
        assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
        assert message.request_uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
        assert message.request_uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
        assert message.to.display == "BEL: NUL: DEL:"
        assert message.from_.display == "token1~` token2'+_ token3*%!.-"
        assert message.from_.param("fromParam''~+*_!.-%") == "работающий"
        assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
        assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
        assert b"\0" not in message.serialise()

    def test_esc01(self) -> None:
        """Escapes are undone once, and only where they are escapes."""
        message = request("esc01")
        assert message.request_uri.user_text == "sips:user@example.com"
        assert message.to.uri.equivalent(Uri.parse("sip:user@example.com"))
        assert message.from_.uri.user_text == "I have spaces"
        assert message.contacts[0].uri.has_param("lr")
        assert message.contacts[0].uri.param("name") == "value%41"

    def test_escnull(self) -> None:
        """An escaped NUL stays escaped and tells the two contacts apart."""
        message = request("escnull")
        assert message.to.uri.user_text == "null-%00-null"
        first, second = message.contacts
        assert not first.uri.equivalent(second.uri)

    def test_esc02(self) -> None:
        """A percent sign outside a URI means itself."""
        message = request("esc02")
        assert message.method == "RE%47IST%45R"
        assert message.to.display == "%Z%45"
        assert [contact.uri.user for contact in message.contacts] == ["alias1", "alias3"]

    def test_dblreq(self) -> None:
        """What follows the body in a datagram is ignored."""
        message = request("dblreq")
        assert (message.method, message.body) == ("REGISTER", b"")

    def test_semiuri(self) -> None:
        """The semicolon is part of the user, so the URI has no parameters."""
        uri = request("semiuri").request_uri
        assert (uri.user, uri.user_text, uri.params) == (
            "user;par=u%40example.net",
            "user;par=u@example.net",
            (),
        )

    def test_transports(self) -> None:
        """Any token is a transport."""
        assert [via.transport for via in request("transports").vias] == [
            "UDP",
            "SCTP",
            "TLS",
            "UNKNOWN",
            "TCP",
        ]

    def test_mpart01(self) -> None:
        """Both parts come out as the bytes they are."""
        message = request("mpart01")
        assert message.content_type == "multipart/mixed"
        parts = parse_multipart(message.body, message.headers.get("content-type") or "")
        assert [part.content_type for part in parts] == ["text/plain", "application/octet-stream"]
        assert parts[0].body == b"Hello"
        assert (len(parts[1].body), parts[1].body[:4]) == (342, b"\x30\x82\x01\x52")

    def test_reason_phrases(self) -> None:
        """A reason phrase may be UTF-8, or empty."""
        assert response("unreason").reason == "= 2**3 * 5**2 но сто девяносто девять - простое"
        assert (response("noreason").status, response("noreason").reason) == (100, "")

    def test_contact_parameters(self) -> None:
        """Without angle brackets a parameter is the header's, with them the URI's."""
        outside, inside = request("cparam01").contacts[0], request("cparam02").contacts[0]
        assert outside.has_param("unknownparam")
        assert not outside.uri.has_param("unknownparam")
        assert inside.uri.has_param("unknownparam")
        assert not inside.has_param("unknownparam")

    def test_regescrt(self) -> None:
        """An escaped header of a Contact URI is kept with it."""
        assert request("regescrt").contacts[0].uri.header("Route") == "<sip:sip.example.com>"

    def test_other_schemes(self) -> None:
        """Other schemes are read as far as their name."""
        assert request("unkscm").request_uri.scheme == "nobodyknowsthisscheme"
        assert request("novelsc").request_uri.scheme == "soap.beep"
        message = request("unksm2")
        assert [message.to.uri.scheme, message.from_.uri.scheme, message.contacts[0].uri.scheme] == [
            "isbn",
            "http",
            "name",
        ]

    def test_inv2543(self) -> None:
        """A message of RFC 2543 has neither branch nor From tag nor Content-Length."""
        message = request("inv2543")
        assert (message.via.branch, message.from_tag, message.max_forwards) == (None, None, None)
        assert message.body.endswith(b"RTP/AVP 0\r\n")
