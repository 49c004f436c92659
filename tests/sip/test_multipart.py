"""Multipart bodies: boundaries, nesting and its bounds, and parts that are bytes (security rule A12)."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import Misuse, ParseError
from sip.headers import Headers
from sip.multipart import (
    MAX_DEPTH,
    MAX_PART_HEAD,
    MAX_PART_HEADERS,
    MAX_PARTS,
    Part,
    find_part,
    parse_multipart,
    write_multipart,
)

TYPE = "multipart/mixed;boundary=b1"


def body(*parts: str, boundary: str = "b1") -> bytes:
    """Write parts between delimiter lines."""
    return "".join([f"--{boundary}\r\n{part}\r\n" for part in parts] + [f"--{boundary}--\r\n"]).encode()


def refuse(data: bytes, content_type: str = TYPE) -> str:
    """Read a multipart that has to be refused with 400, and return the label."""
    with pytest.raises(ParseError) as raised:
        parse_multipart(data, content_type)
    assert raised.value.status == 400
    return raised.value.label


def test_parts() -> None:
    """Headers and content of each part, to the byte."""
    first, second = parse_multipart(
        body(
            "Content-Type: Text/Plain;charset=utf-8\r\n"
            "content-disposition: Render;handling=optional\r\n\r\none\r\n",
            "\r\ntwo",
        ),
        TYPE,
    )
    assert (first.content_type, first.disposition, first.body) == ("text/plain", "render", b"one\r\n")
    assert (second.content_type, second.disposition, second.body) == ("text/plain", None, b"two")


def test_binary() -> None:
    """Content is bytes, whatever they are."""
    data = bytes(range(256)) * 2
    (part,) = parse_multipart(b"--b1\r\nContent-Type: a/b\r\n\r\n" + data + b"\r\n--b1--", TYPE)
    assert part.body == data


def test_preamble_epilogue_and_padding() -> None:
    """What stands around the parts, and blanks behind a delimiter, are ignored."""
    data = b"preamble --b1\r\n--b1 \t\r\n\r\none\r\n--b1--\t\r\nepilogue\r\n--b1\r\n\r\nno\r\n--b1--"
    assert [part.body for part in parse_multipart(data, TYPE)] == [b"one"]


def test_words_like_the_boundary() -> None:
    """A line that only begins like the boundary is content."""
    text = "one\r\n--b12\r\n--b1-\r\n --b1"
    assert [part.body for part in parse_multipart(body(f"\r\n{text}"), TYPE)] == [text.encode()]


@pytest.mark.parametrize("part", ["", "\r\n", "A: b", "A: b\r\n", "A: b\r\n\r\n"])
def test_empty_parts(part: str) -> None:
    """A part may have no content, with or without its headers."""
    (read,) = parse_multipart(body(part), TYPE)
    assert read.body == b""
    assert read.headers.get("A") == ("b" if part.startswith("A") else None)


def test_a_part_without_any_byte() -> None:
    """One delimiter line right after the other."""
    assert [part.body for part in parse_multipart(b"--b1\r\n--b1\r\n--b1--", TYPE)] == [b"", b""]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no boundary at all",
        b"--b1",
        b"--b1--",
        b"--b1\r\n",
        b"--b1\r\n\r\none",
        b"--b1\r\n\r\none\r\n--b1",
        b"--b1\r\n\r\none\r\n--b1\r\n",
        b"--b1\r\n\r\none\r\n--b2--",
        b"\r\n--b1x\r\n--b1--",
    ],
)
def test_unclosed(data: bytes) -> None:
    """Without its last boundary a multipart is no multipart."""
    assert refuse(data) == "multipart_unclosed"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "boundary",
        "boundary=",
        'boundary=""',
        'boundary="a "',
        'boundary="é"',
        'boundary="a\\"b"',
        "x=y",
        'boundary="<>"',
        "boundary=" + "a" * 71,
    ],
)
def test_bad_boundaries(value: str) -> None:
    """1 to 70 legal characters, the last no blank."""
    with pytest.raises(ParseError):
        parse_multipart(b"--a\r\n\r\nx\r\n--a--", f"multipart/mixed;{value}")


def test_no_parameters() -> None:
    """Without parameters there is no boundary."""
    assert refuse(b"--a--", "multipart/mixed") == "multipart_boundary"


@pytest.mark.parametrize("boundary", ["a", "a" * 70, "a b", "'()+_,-./:=?"])
def test_good_boundaries(boundary: str) -> None:
    """Each legal character, at both lengths."""
    data = write_multipart((Part(Headers(), b"x"),), boundary)
    assert [part.body for part in parse_multipart(data, f'multipart/mixed; Boundary="{boundary}"')] == [b"x"]


def nested(depth: int) -> tuple[bytes, str]:
    """Write one multipart within another."""
    data, content_type = b"x", "text/plain"
    for level in range(depth):
        part = f"Content-Type: {content_type}\r\n\r\n{data.decode()}"
        data, content_type = body(part, boundary=f"b{level}"), f"multipart/mixed;boundary=b{level}"
    return data, content_type


def test_depth() -> None:
    """Three levels, not four."""
    parts = parse_multipart(*nested(MAX_DEPTH))
    assert [leaf.body for part in parts for leaf in part.walk()] == [b"x"]
    assert refuse(*nested(MAX_DEPTH + 1)) == "multipart_depth"
    assert refuse(*nested(200)) == "multipart_depth"


def test_number_of_parts() -> None:
    """Sixteen over all levels, not seventeen."""
    assert len(parse_multipart(body(*["\r\nx"] * MAX_PARTS), TYPE)) == MAX_PARTS
    assert refuse(body(*["\r\nx"] * (MAX_PARTS + 1))) == "multipart_parts"
    inner = "Content-Type: multipart/mixed;boundary=b2\r\n\r\n" + body(*["\r\nx"] * 7, boundary="b2").decode()
    assert len(parse_multipart(body(inner, inner), TYPE)) == 2
    assert refuse(body(inner, inner, "\r\nx")) == "multipart_parts"


def test_part_headers() -> None:
    """Their bounds, at the edge, and what they may not hold."""
    assert parse_multipart(body("\r\n".join(["A: b"] * MAX_PART_HEADERS) + "\r\n\r\n"), TYPE)
    assert refuse(body("\r\n".join(["A: b"] * (MAX_PART_HEADERS + 1)) + "\r\n\r\n")) == "multipart_headers"
    assert parse_multipart(body("A: " + "b" * (MAX_PART_HEAD - 3) + "\r\n\r\n"), TYPE)
    assert refuse(body("A: " + "b" * (MAX_PART_HEAD - 2) + "\r\n\r\n")) == "multipart_headers"
    assert refuse(body("A: b\0\r\n\r\n")) == "multipart_headers"
    assert refuse(body("A: b\nC: d\r\n\r\n")) == "multipart_headers"
    assert refuse(body("no colon\r\n\r\n")) == "header_name"
    assert refuse(body("Content-Type: a/b\r\nc: a/b\r\n\r\n")) == "repeated_content_type"
    assert refuse(b"--b1\r\nA: \xff\r\n\r\n\r\n--b1--") == "encoding"
    (part,) = parse_multipart(body("Content-Type:\r\n a/b\r\n\r\nx"), TYPE)
    assert part.content_type == "a/b"


def test_finding_a_part() -> None:
    """The body itself, or the first leaf of the type wherever it is."""
    sdp = "Content-Type: application/sdp\r\n\r\nv=0"
    inner = (
        "Content-Type: multipart/alternative;boundary=b2\r\n\r\n"
        + body("\r\ntext", sdp, boundary="b2").decode()
    )
    assert find_part(b"v=0", "Application/SDP", "application/sdp") == b"v=0"
    assert find_part(body("\r\nx", inner), TYPE, "application/sdp") == b"v=0"
    assert find_part(body("\r\nx"), TYPE, "application/sdp") is None
    assert find_part(b"x", "text/plain", "application/sdp") is None
    assert find_part(b"", None, "application/sdp") is None
    with pytest.raises(ParseError):
        find_part(b"", TYPE, "application/sdp")


@given(
    st.lists(
        st.tuples(st.sampled_from(["a/b", "text/plain"]), st.binary(max_size=40)), min_size=1, max_size=5
    )
)
def test_round_trip(contents: list[tuple[str, bytes]]) -> None:
    """What is written is read again."""
    parts = tuple(Part(Headers([("Content-Type", kind)]), content) for kind, content in contents)
    assert parse_multipart(write_multipart(parts, "b1"), TYPE) == parts


@pytest.mark.parametrize("boundary", ["", "a" * 71, "é", "a\r\nb"])
def test_writing_an_illegal_boundary(boundary: str) -> None:
    """Our bug, and said loudly."""
    with pytest.raises(Misuse):
        write_multipart((), boundary)


def test_writing_a_part_that_holds_the_boundary() -> None:
    """It would end its own part."""
    with pytest.raises(Misuse):
        write_multipart((Part(Headers(), b"\r\n--b1--"),), "b1")


@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([b"--b1", b"--", b"\r\n", b"a: b", b"x"]), max_size=20).map(b"".join)
)
def test_junk(data: bytes) -> None:
    """Any bytes are parts or a ParseError."""
    with contextlib.suppress(ParseError):
        assert parse_multipart(data, TYPE)


def test_many_false_delimiters_are_cheap() -> None:
    """A body of nearly-boundaries is walked once."""
    assert refuse(b"\r\n--b1x" * 30000) == "multipart_unclosed"
