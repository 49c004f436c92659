"""URIs and name-addr: grammar, escapes, comparison, and what must not be taken for a URI."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import ParseError
from sip.headers import Headers
from sip.uri import CACHED_LENGTH, NameAddr, Uri, escape_header, escape_user, unescape
from tests.sip.strategies import name_addrs, texts, uris
from tests.sip.test_grammar import NOT_NUMBERS


class TestUri:
    """RFC 3261 section 19.1."""

    @given(uris())
    def test_round_trip(self, uri: Uri) -> None:
        """What is written is read again."""
        assert Uri.parse(str(uri)) == uri

    @given(st.text(max_size=60) | st.text('sip:@;?=[]%&<>"0a.\r\n ', max_size=40).map("sip:".__add__))
    def test_junk(self, text: str) -> None:
        """Any text is a URI that is written as it was read, or a ParseError."""
        with contextlib.suppress(ParseError):
            assert Uri.parse(str(Uri.parse(text))) == Uri.parse(text)

    @pytest.mark.parametrize(
        ("text", "uri"),
        [
            ("sip:host", Uri(host="host")),
            ("SIPS:a@h", Uri(scheme="sips", user="a", host="h")),
            ("sip:a:b@h:5060", Uri(user="a", password="b", host="h", port=5060)),
            ("sip:a:@h", Uri(user="a", password="", host="h")),
            ("sip:[2001:db8::10]:5070", Uri(host="2001:db8::10", port=5070)),
            ("sip:[::ffff:192.0.2.1]", Uri(host="::ffff:192.0.2.1")),
            (
                "sip:a@h;lr;x=1?y=2&z=",
                Uri(user="a", host="h", params=(("lr", None), ("x", "1")), headers=(("y", "2"), ("z", ""))),
            ),
            ("sip:a@h?Replaces=a@b", Uri(user="a", host="h", headers=(("Replaces", "a@b"),))),
            ("sip:*21#@h", Uri(user="*21#", host="h")),
            ("sip:a/b?c;d@h", Uri(user="a/b?c;d", host="h")),
            ("tel:+1-201-555;phone-context=x", Uri(scheme="tel", opaque="+1-201-555;phone-context=x")),
            ("urn:service:sos", Uri(scheme="urn", opaque="service:sos")),
        ],
    )
    def test_forms(self, text: str, uri: Uri) -> None:
        """Each part goes where RFC 3261 puts it."""
        assert Uri.parse(text) == uri
        assert Uri.parse(str(uri)) == uri

    @pytest.mark.parametrize(
        "text",
        [
            "", ":", "sip", "sip:", "sip:@h", "sip:a@", "sip:a@h@h", "sip:a b@h", "sip:a@h h", "sip:a@ h",
            "sip:h:", "sip:h:0", "sip:h:65536", "sip:[::1", "sip:[::g]", "sip:[1.2.3.4]", "sip:[::1]x",
            "sip:::1", "sip:a@h;", "sip:a@h;;b", "sip:a@h;=b", "sip:a@h;b=", "sip:a@h?", "sip:a@h?b",
            "sip:a@h?=b", "sip:a@h?a=b&", "sip:%4@h", "sip:%zz@h", "sip:é@h", "sip:a@é", "sip:a@h;é",
            "sip:a@h?é=1", "sip:<a>@h", 'sip:"a"@h', "sip:a\r\nb@h", "sip:a\0@h", "sip:a@h\n", " sip:a@h",
            "sip :a@h", "<sip:a@h>", "tel:", "1tel:5", "tel:é", "tel:a b", "tel:<5>", "user@host", "[::1]",
            "sip:[::1%25eth0]", "sip:a@h;x=<y>", "sip:h?Replaces=a@b%3Bto-tag%3D1",
        ],
    )  # fmt: skip
    def test_refused(self, text: str) -> None:
        """What the grammar does not allow is no URI."""
        with pytest.raises(ParseError):
            Uri.parse(text)

    @pytest.mark.parametrize("digits", [*NOT_NUMBERS, "0", "65536", "99999999999999999999"])
    def test_ports(self, digits: str) -> None:
        """A port is 1 to 65535 in ASCII digits."""
        with pytest.raises(ParseError):
            Uri.parse(f"sip:h:{digits}")

    @pytest.mark.parametrize("escaped", ["%0d%0aVia:x", "%00", "%1F", "%7f"])
    def test_no_control_characters_in_headers(self, escaped: str) -> None:
        """An escaped line break in a URI header is refused; only a body may have one."""
        with pytest.raises(ParseError, match="uri_header"):
            Uri.parse(f"sip:a@h?Subject={escaped}")
        assert Uri.parse("sip:a@h?body=a%0D%0Ab").header("Body") == "a%0D%0Ab"

    def test_unescaping(self) -> None:
        """Escapes are undone once; control characters and broken UTF-8 stay escaped."""
        assert unescape("%61%25%34%31") == "a%41"
        assert unescape("%0D%0Aa%C3%A9%0a") == "%0D%0Aaé%0A"
        assert unescape("%FF") == "%FF"
        assert unescape("%C2%85%E2%80%A8x") == "%C2%85%E2%80%A8x"
        assert Uri.parse("sip:a%20b@h").user_text == "a b"
        assert Uri.parse("sip:h").user_text is None

    @given(texts)
    def test_escaping(self, text: str) -> None:
        """Any text can be a user or a URI header."""
        assert Uri.parse(f"sip:{escape_user('u' + text)}@h").user is not None
        assert Uri.parse(f"sip:h?x={escape_header(text)}").host == "h"

    def test_looking_up(self) -> None:
        """Parameters and headers are found by case-insensitive, unescaped names."""
        uri = Uri.parse("sip:a@h;LR;m%61ddr=%31?Replaces=a%3Bb")
        assert (uri.param("lr"), uri.param("maddr"), uri.param("x")) == ("", "1", None)
        assert (uri.has_param("lr"), uri.has_param("x")) == (True, False)
        assert (uri.header("replaces"), uri.header("x")) == ("a;b", None)

    def test_changing(self) -> None:
        """A change makes a copy and leaves the rest."""
        uri = Uri.parse("sip:a@h:1;x=1?y=2")
        assert str(uri.with_param("x", "2").with_param("lr")) == "sip:a@h:1;x=2;lr?y=2"
        assert str(uri.with_(user="b", host="::1", port=2, params=(), headers=())) == "sip:b@[::1]:2"
        assert uri.with_() == uri

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            ("sip:b@h;transport=tcp;method=R?to=x&a=1", "sip:b@h;method=R;transport=tcp?A=1&to=x"),
            ("tel:5", "TEL:5"),
        ],
    )
    def test_equivalent(self, left: str, right: str) -> None:
        """The examples of RFC 3261 section 19.1.4 that are equal."""
        assert Uri.parse(left).equivalent(Uri.parse(right))
        assert Uri.parse(right).equivalent(Uri.parse(left))

    @pytest.mark.parametrize(
        ("left", "right"),
        [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:a@h;security=on", "sip:a@h;security=off"),
            ("sip:a@h", "sips:a@h"),
            ("sip:a@h", "sip:h"),
            ("tel:5", "tel:6"),
            ("tel:5", "sip:5"),
        ],
    )
    def test_not_equivalent(self, left: str, right: str) -> None:
        """The examples of RFC 3261 section 19.1.4 that differ."""
        assert not Uri.parse(left).equivalent(Uri.parse(right))
        assert not Uri.parse(right).equivalent(Uri.parse(left))

    def test_long_texts_are_not_remembered(self) -> None:
        """A text beyond the cache's limit is read each time, a short one once."""
        long_text = "sip:" + "a" * CACHED_LENGTH + "@h"
        assert Uri.parse(long_text) is not Uri.parse(long_text)
        assert Uri.parse("sip:short@h") is Uri.parse("sip:short@h")


class TestNameAddr:
    """RFC 3261 section 20.10 and its kin."""

    @given(name_addrs())
    def test_round_trip(self, address: NameAddr) -> None:
        """What is written is read again."""
        assert NameAddr.parse(str(address)) == address

    @given(st.text(max_size=60) | st.text('"<>;\\ a,=sip:@h', max_size=40))
    def test_junk(self, text: str) -> None:
        """Any text is a name-addr or a ParseError."""
        with contextlib.suppress(ParseError):
            address = NameAddr.parse(text)
            assert NameAddr.parse(str(address)) == address
            Headers().add("To", str(address))  # whatever it was, it cannot break a line of ours

    @pytest.mark.parametrize(
        ("text", "display", "uri", "tag"),
        [
            ('"A. \\"Bell\\"" <sip:a@h>;tag=1', 'A. "Bell"', "sip:a@h", "1"),
            ('""<sip:a@h>', "", "sip:a@h", None),
            ("Anonymous  Caller\t<sip:a@h> ; tag = 2", "Anonymous Caller", "sip:a@h", "2"),
            ("Müller (Büro) <sip:a@h>", "Müller (Büro)", "sip:a@h", None),
            ("  <sip:a@h;tag=no>", None, "sip:a@h;tag=no", None),
            ("sip:a@h;tag=3", None, "sip:a@h", "3"),
            ("sip:a@h ;x", None, "sip:a@h", None),
            ('sip:a@h;x="<y>"', None, "sip:a@h", None),
            ('"日本" \t <sip:a@h>', "日本", "sip:a@h", None),
        ],
    )
    def test_forms(self, text: str, display: str | None, uri: str, tag: str | None) -> None:
        """Both forms; without angle brackets the parameters are the header's."""
        address = NameAddr.parse(text)
        assert (address.display, str(address.uri), address.tag) == (display, uri, tag)

    @pytest.mark.parametrize(
        "text",
        [
            "", '"a', '"a\0" <sip:a@h>', "a\r\nb <sip:a@h>",
            '"a"', '"a" sip:a@h', "<sip:a@h", "<sip:a@h>x", "a, b <sip:a@h>", "a; <sip:a@h>",
            "< sip:a@h >", "a:b <sip:a@h>", "sip:a@h?x=1", "sip:a,b@h", "<sip:a@h>;", "<sip:a@h>;;",
            "<sip:a@h>;a=", '"a"b <sip:a@h>', "<>", "*", "a\\ <sip:a@h>",
        ],
    )  # fmt: skip
    def test_refused(self, text: str) -> None:
        """What could be read in two ways is refused."""
        with pytest.raises(ParseError):
            NameAddr.parse(text)

    def test_changing(self) -> None:
        """A change makes a copy; values are quoted when they must be."""
        address = NameAddr.parse('"x" <sip:a@h>;tag=1')
        assert str(address.with_tag("2")) == '"x" <sip:a@h>;tag=2'
        changed = address.with_param("reason", "a b").with_param("lr")
        assert (changed.param("reason"), changed.has_param("lr"), changed.has_param("no")) == (
            "a b",
            True,
            False,
        )
        assert str(changed) == '"x" <sip:a@h>;tag=1;reason="a b";lr'
        assert str(address.without_params()) == '"x" <sip:a@h>'

    def test_long_texts_are_not_remembered(self) -> None:
        """A text beyond the cache's limit is read each time."""
        text = "<sip:" + "a" * CACHED_LENGTH + "@h>"
        assert NameAddr.parse(text) is not NameAddr.parse(text)
