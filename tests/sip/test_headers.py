"""Headers: names and their compact forms, order, lists, and values that would break the line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import Misuse
from sip.headers import COMPACT, Headers, header_key


def read(*lines: str) -> Headers:
    """Read header lines that have to be right."""
    headers, error = Headers.from_lines(lines)
    assert error is None
    return headers


def test_names_are_case_insensitive_and_compact_forms_the_same() -> None:
    """``v``, ``VIA`` and ``Via`` are one header."""
    headers = read("Via: a", "v: b", "vIA : c", "V\t:d")
    assert headers.get_all("via") == headers.get_all("V") == ["a", "b", "c", "d"]
    assert ("via" in headers, "v" in headers, "to" in headers, 5 in headers) == (True, True, False, False)
    assert (headers.count("Via"), headers.count("To"), len(headers)) == (4, 0, 4)


@pytest.mark.parametrize(("short", "name"), COMPACT.items())
def test_compact_forms(short: str, name: str) -> None:
    """Every registered compact form, in both cases."""
    assert header_key(short) == header_key(short.upper()) == header_key(name.title()) == name


def test_unknown_headers_keep_spelling_and_order() -> None:
    """What we do not understand is written as it came."""
    lines = ["X-A:1", "s: ", "x-a :  2", "UnKnown: ;;,,;;,;"]
    assert read(*lines).write() == "X-A: 1\r\ns: \r\nx-a: 2\r\nUnKnown: ;;,,;;,;\r\n"


@pytest.mark.parametrize(
    "line", ["", "no colon", ": empty", "a b: 1", "é: 1", "a\x0b: 1", "a\xa0: 1", "\x00a: 1", '"a": 1']
)
def test_bad_lines_are_left_out(line: str) -> None:
    """A line whose name is no token is reported and nowhere to be found."""
    headers, error = Headers.from_lines([line, "To: x"])
    assert error is not None
    assert (error.label, headers.items()) == ("header_name", [("To", "x")])


@pytest.mark.parametrize("code", [code for code in (*range(32), 127) if code != 9])
def test_only_blanks_before_the_colon(code: int) -> None:
    """Another control character before the colon is no white space (CVE-2020-28361)."""
    headers, error = Headers.from_lines([f"To{chr(code)}: x"])
    assert error is not None
    assert "To" not in headers


def test_lists() -> None:
    """A list may be spread over lines; empty elements do not count."""
    headers = read("Supported: 100rel, timer", "k: replaces,,", "Allow:")
    assert headers.get_list("Supported") == ["100rel", "timer", "replaces"]
    assert headers.get_list("Allow") == headers.get_list("Require") == []
    assert read('Accept: a/b, "c', "Accept: d/e").get_list("accept") == ['a/b, "c', "d/e"]


def test_changing() -> None:
    """Add, prepend, set and remove keep the order of the others and the reading by name in step."""
    headers = Headers([("Via", "a"), ("To", "t"), ("v", "b")])
    headers.prepend("Via", "first")
    headers.add("VIA", "last")
    assert headers.get_all("via") == ["first", "a", "b", "last"]
    assert [value for _, value in headers.items()] == ["first", "a", "t", "b", "last"]
    headers.set("via", "only")
    assert headers.items() == [("via", "only"), ("To", "t")]
    headers.set("From", "f")
    headers.set_first("to", "t2")
    headers.set_first("Call-ID", "i")
    headers.remove("via")
    headers.remove("Nothing")
    assert list(headers) == [("To", "t2"), ("From", "f"), ("Call-ID", "i")]
    assert list(headers.keys()) == ["to", "from", "call-id"]
    assert headers.get("via") is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "prepend", "set", "set_first", "remove"]), st.sampled_from("abc"))
    )
)
def test_the_index_follows_every_change(steps: list[tuple[str, str]]) -> None:
    """Whatever is done, reading by name gives what reading in order gives."""
    headers = Headers()
    for number, (verb, name) in enumerate(steps):
        if verb == "remove":
            headers.remove(f"X-{name}")
        else:
            getattr(headers, verb)(f"X-{name}", str(number))
        for key in ("X-a", "X-b", "X-c"):
            assert headers.get_all(key) == [value for written, value in headers.items() if written == key]


def test_a_change_drops_what_was_read() -> None:
    """The typed reading of a header ends with its change, and only its own."""
    headers = Headers([("To", "t"), ("From", "f")])
    changes: list[Callable[[], None]] = [
        lambda: headers.set("To", "x"),
        lambda: headers.add("t", "x"),
        lambda: headers.prepend("t", "x"),
        lambda: headers.set_first("to", "x"),
        lambda: headers.copy_from(Headers([("To", "x")]), "t"),
        lambda: headers.remove("To"),
    ]
    for change in changes:
        headers.parsed.update({"to": "old", "from": "kept"})
        change()
        assert headers.parsed == {"from": "kept"}


@pytest.mark.parametrize("value", ["a\r\nVia: x", "a\nb", "a\rb", "a\0b", "\r\n b"])
@pytest.mark.parametrize("verb", ["add", "prepend", "set", "set_first"])
def test_no_injection(value: str, verb: str) -> None:
    """A value of ours that would break the line is our bug, not a second header."""
    headers = Headers([("Subject", "s")])
    for name in ("Subject", "X-New"):
        with pytest.raises(Misuse):
            getattr(headers, verb)(name, value)
    assert headers.items() == [("Subject", "s")]


def test_a_name_is_a_token() -> None:
    """Nor can a name break the line."""
    with pytest.raises(Misuse):
        Headers([("X: y\r\nZ", "1")])


def test_copies_are_apart() -> None:
    """A copy can change without the original."""
    headers = Headers([("To", "t")])
    headers.parsed["to"] = "read"
    twin = headers.copy()
    twin.set("To", "x")
    assert (headers.get("To"), headers.parsed, twin.get("To")) == ("t", {"to": "read"}, "x")


def test_equality() -> None:
    """Headers are equal when they say the same in the same order; how long the body is does not count."""
    assert read("v: a", "L: 5") == Headers([("VIA", "a")])
    assert Headers([("A", "1")]) != Headers([("A", "2")])
    assert Headers() != 5


def test_repr_shows_no_values() -> None:
    """A log of the headers has no credentials in it."""
    assert repr(Headers([("Authorization", "secret"), ("To", "t")])) == "<Headers authorization to>"
