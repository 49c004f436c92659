"""Hostile SIP messages: good ones, and mutations of them that have broken parsers before.

``hostile_messages(seed, count)`` is deterministic. About one message in twenty is left good, so that a suite
also sees what follows a success; the others carry one to three mutations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

_GOLDEN = Path(__file__).parent.parent / "golden" / "sip" / "rfc4475"

_SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
_XML = b'<?xml version="1.0"?><presence entity="sip:a@h"><tuple id="1"/></presence>'
_MULTIPART = (
    b"--b1\r\nContent-Type: application/sdp\r\n\r\n"
    + _SDP
    + b"\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b1--\r\n"
)

Mutation = Callable[[bytes, Random], bytes]


def _request(
    method: str, *more: str, body: bytes = b"", kind: str = "application/sdp", tag: str = ""
) -> bytes:
    lines = [
        f"{method} sip:5000@192.0.2.1:5060;transport=udp SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.9:5062;rport;branch=z9hG4bK{method.lower()}1",
        "Max-Forwards: 70",
        'From: "A \\"B\\" C" <sip:alice@example.com>;tag=a6c85cf',
        f"To: <sip:5000@192.0.2.1>{tag}",
        f"Call-ID: {method.lower()}-84b4c76e66710@192.0.2.9",
        f"CSeq: 314159 {method}",
        "Contact: <sip:alice@192.0.2.9:5062;ob>;expires=60",
        *more,
    ]
    if body:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _response(status: str, method: str, *more: str, body: bytes = b"") -> bytes:
    data = _request(method, *more, body=body, tag=";tag=b27")
    return f"SIP/2.0 {status}\r\n".encode() + data.partition(b"\r\n")[2]


@cache
def good_messages() -> tuple[bytes, ...]:
    """Return the messages that mutations start from: one of each method and kind, and those of RFC 4475."""
    tag = ";tag=b27"
    return (
        _request("INVITE", "Supported: 100rel, timer, replaces", "Session-Expires: 1800", body=_SDP),
        _request("INVITE", "Require: 100rel", "Record-Route: <sip:p1;lr>, <sip:p2;lr>", body=_SDP, tag=tag),
        _request("INVITE", body=_MULTIPART, kind='multipart/mixed;boundary="b1"'),
        _request("ACK", tag=tag),
        _request("BYE", "Reason: Q.850;cause=16", tag=tag),
        _request("CANCEL"),
        _request("PRACK", "RAck: 1 314158 INVITE", tag=tag),
        _request("UPDATE", body=_SDP, tag=tag),
        _request("INFO", body=b"Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay", tag=tag),
        _request("OPTIONS", "Accept: application/sdp"),
        _request("MESSAGE", body=b"hello", kind="text/plain"),
        _request("PUBLISH", "Event: presence", body=_XML, kind="application/pidf+xml"),
        _request("SUBSCRIBE", "Event: dialog;id=1", "Expires: 600"),
        _request(
            "NOTIFY",
            "Event: refer",
            "Subscription-State: active;expires=60",
            body=b"SIP/2.0 100 Trying\r\n",
            kind="message/sipfrag",
            tag=tag,
        ),
        _request(
            "REFER",
            "Refer-To: <sip:c@h?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>",
            "Referred-By: <sip:a@h>",
            tag=tag,
        ),
        _request(
            "REGISTER",
            "Expires: 3600",
            'Authorization: Digest username="a", realm="r", nonce="n", uri="sip:h", '
            'response="0123456789abcdef", qop=auth, nc=00000001, cnonce="c"',
        ),
        _response("100 Trying", "INVITE"),
        _response("183 Session Progress", "INVITE", "Require: 100rel", "RSeq: 1", body=_SDP),
        _response("200 OK", "INVITE", body=_SDP),
        _response("302 Moved Temporarily", "INVITE"),
        _response(
            "401 Unauthorized",
            "REGISTER",
            'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"',
        ),
        _response("487 Request Terminated", "INVITE"),
        *(path.read_bytes() for path in sorted(_GOLDEN.glob("*.sip"))),
    )


def _place(data: bytes, rng: Random) -> int:
    return rng.randrange(len(data) + 1)


def _insert(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at:]


def _lines(data: bytes) -> tuple[list[bytes], bytes]:
    head, blank, body = data.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), blank + body


def flip_bits(data: bytes, rng: Random) -> bytes:
    """Flip one to eight bits anywhere."""
    flipped = bytearray(data)
    for _ in range(rng.randrange(1, 9)):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def truncate(data: bytes, rng: Random) -> bytes:
    """Cut the end off."""
    return data[: _place(data, rng)] or b"\0"


def cut_out(data: bytes, rng: Random) -> bytes:
    """Take a piece out of the middle."""
    at = _place(data, rng)
    return data[:at] + data[at + rng.randrange(1, 40) :] or b"\0"


def random_bytes(data: bytes, rng: Random) -> bytes:
    """Put random bytes somewhere."""
    return _insert(data, _place(data, rng), rng.randbytes(rng.randrange(1, 30)))


_NUMBERS = (
    b"0",
    b"-1",
    b"+5",
    b"1_000",
    b"4294967296",
    b"2147483648",
    b"65536",
    b"256",
    b"9" * 40,
    b"9" * 5000,
    b"0" * 300 + b"1",
    b"1e9",
    b"0x10",
    b"NaN",
    b"",
    b" 5 ",
    "٣".encode(),
    "５".encode(),
    "²".encode(),
    b"1.5",
    b"5,5",
    b"5;5",
)
_NUMBER = re.compile(rb"[0-9]+")


def change_number(data: bytes, rng: Random) -> bytes:
    """Replace a number by a strange one."""
    found = _NUMBER.search(data, _place(data, rng)) or _NUMBER.search(data)
    if found is None:
        return data + b"1"
    return data[: found.start()] + rng.choice(_NUMBERS) + data[found.end() :]


def repeat_header(data: bytes, rng: Random) -> bytes:
    """Send a header again, once or often."""
    lines, rest = _lines(data)
    line = rng.choice(lines)
    times = rng.choice((1, 1, 1, 2, 70, 300))
    at = rng.randrange(1, len(lines) + 1)
    return b"\r\n".join([*lines[:at], *[line] * times, *lines[at:]]) + rest


def drop_header(data: bytes, rng: Random) -> bytes:
    """Leave a line out."""
    lines, rest = _lines(data)
    del lines[rng.randrange(len(lines))]
    return b"\r\n".join(lines) + rest


def shuffle_headers(data: bytes, rng: Random) -> bytes:
    """Put the headers in another order, perhaps the start line too."""
    lines, rest = _lines(data)
    first = rng.choice((0, 1, 1, 1))
    tail = lines[first:]
    rng.shuffle(tail)
    return b"\r\n".join(lines[:first] + tail) + rest


_LINE_ENDS = (
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\n\r",
    b"\r\n\r\n",
    b"\0",
    b"\x0b",
    b"\x0c",
    "\u2028".encode(),
    b"\xc2\x85",
    b"",
)


def change_line_end(data: bytes, rng: Random) -> bytes:
    """Replace a CRLF, or all of them, by something that ends lines elsewhere."""
    end = rng.choice(_LINE_ENDS)
    if rng.random() < 0.2:
        return data.replace(b"\r\n", end) or b"\0"
    at = data.find(b"\r\n", _place(data, rng))
    return data if at < 0 else data[:at] + end + data[at + 2 :]


def insert_control(data: bytes, rng: Random) -> bytes:
    """Put control characters somewhere, escaped or not."""
    control = bytes([rng.choice((0, 1, 7, 8, 10, 11, 12, 13, 27, 127))])
    return _insert(
        data, _place(data, rng), rng.choice((b"", b"\\", b'"\\')) + control * rng.choice((1, 1, 2, 50))
    )


_MARKS = (
    b'"',
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b":",
    b"=",
    b"@",
    b"?",
    b"&",
    b"%",
    b"[",
    b"]",
    b"(",
    b")",
    b" ",
    b"\t",
    b"/",
    b"*",
)


def insert_marks(data: bytes, rng: Random) -> bytes:
    """Put one of the grammar's marks somewhere, once or a thousand times."""
    return _insert(data, _place(data, rng), rng.choice(_MARKS) * rng.choice((1, 1, 1, 2, 3, 100, 1000)))


def remove_mark(data: bytes, rng: Random) -> bytes:
    """Take one of the grammar's marks away."""
    mark = rng.choice(_MARKS)
    at = data.find(mark, _place(data, rng))
    return data if at < 0 else data[:at] + data[at + 1 :] or b"\0"


def lengthen(data: bytes, rng: Random) -> bytes:
    """Put a very long token, quoted string or list somewhere."""
    piece = rng.choice(
        (
            b"a",
            b"%61",
            b"a;",
            b"a,",
            b'"a",',
            b"<sip:a@h>,",
            b";a=b",
            b'\\"',
            b"1",
            b"[",
            b"\xc3\xa4",
            b"\r\n ",
        )
    )
    return _insert(data, _place(data, rng), piece * rng.choice((50, 500, 3000)))


def fold(data: bytes, rng: Random) -> bytes:
    """Fold where it is allowed and where it is not."""
    at = _place(data, rng)
    return _insert(
        data, at, rng.choice((b"\r\n ", b"\r\n\t", b"\r\n \r\n ", b"\n ")) * rng.choice((1, 1, 5, 200))
    )


def unicode_text(data: bytes, rng: Random) -> bytes:
    """Put UTF-8, well formed or not, somewhere."""
    pieces = ("日本", "é", "\u202e", "\ufeff", "١٢٣", "𝟙", "İ", "ß", "\u00a0")
    broken = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82")
    return _insert(
        data, _place(data, rng), rng.choice(pieces).encode() if rng.random() < 0.5 else rng.choice(broken)
    )


_ESCAPES = (
    b"%00",
    b"%0d%0aVia: SIP/2.0/UDP evil",
    b"%0a",
    b"%",
    b"%4",
    b"%zz",
    b"%25%30%30",
    b"%ff",
    b"%c0%80",
    b"${x}",
    b"%n%s%p",
)


def insert_escape(data: bytes, rng: Random) -> bytes:
    """Put an escape, or what another language takes for one, after the user part's beginning or anywhere."""
    at = data.find(b"sip:", _place(data, rng))
    return _insert(
        data, at + 4 if at >= 0 and rng.random() < 0.7 else _place(data, rng), rng.choice(_ESCAPES)
    )


_HEADERS = (
    b"Content-Length: 5",
    b"l: -1",
    b"l: 0",
    b"Content-Length: 9999999999",
    b"Content-Length: 0, 5",
    b"Transfer-Encoding: chunked",
    b"Via: SIP/2.0/UDP 255.255.255.255",
    b"Via: SIP/2.0/UDP 0.0.0.0:0;maddr=224.0.0.1;ttl=255",
    b"Via: ;;;",
    b"v:",
    b"Via: SIP/2.0/TCP [::1",
    b"Route: <sip:127.0.0.1;lr>",
    b"Record-Route: <sip:x>",
    b"Route: ,",
    b"Contact: *",
    b"Contact: <sip:a@h?Route=%3Csip:evil%3E>",
    b"Max-Forwards: 0",
    b"Max-Forwards: 999",
    b"Expires: 4294967295",
    b"Expires: -1",
    b"Require: evil",
    b"Proxy-Require: evil",
    b"Supported: " + b"a," * 500,
    b"Event: presence;id=",
    b"Replaces: x;to-tag=1;from-tag=2",
    b"Replaces: ;;;",
    b"Refer-To: <",
    b"Refer-To: *",
    b"Session-Expires: 0;refresher=uac",
    b"Session-Expires: x",
    b"Min-SE: 4294967296",
    b"RSeq: 0",
    b"RAck: 1 1",
    b"Timestamp: NaN",
    b"Retry-After: 99999999999999999999",
    b"Subscription-State: ",
    b"Content-Type: multipart/mixed;boundary=" + b"-" * 80,
    b"Content-Type: multipart/mixed",
    b"Content-Encoding: gzip",
    b'Authorization: Digest "',
    b"Authorization: Digest nc=zz,,,=",
    b"Authorization: ",
    b"WWW-Authenticate: Digest realm=",
    b"Date: yesterday",
    b"From: <sip:",
    b'To: "',
    b"t: <sip:a@h>;tag=",
    b"i: ",
    b"CSeq: 1",
    b"CSeq: 1 1 1",
    b"Accept: */*;q=9",
    b"Allow: ,,,",
    b"Path: <sip:p;lr>;ob",
    b"Warning: 399 x",
    b": x",
    b"x",
    b"X\x0b: y",
    b"X : y",
    b"Subject:",
    b"\xc3\xa4: x",
)


def add_header(data: bytes, rng: Random) -> bytes:
    """Add a header that somebody did not expect."""
    lines, rest = _lines(data)
    lines.insert(rng.randrange(1, len(lines) + 1), rng.choice(_HEADERS))
    return b"\r\n".join(lines) + rest


_START_LINES = (
    b"INVITE sip:5000@192.0.2.1 SIP/3.0",
    b"INVITE  sip:5000@192.0.2.1  SIP/2.0",
    b"INVITE sip: SIP/2.0",
    b"INVITE SIP/2.0",
    b"INVITE",
    b"INVITE <sip:a@h> SIP/2.0",
    b"INVITE tel:+1 SIP/2.0",
    b"INVITE evil:x SIP/2.0",
    b"INVITE * SIP/2.0",
    b"invite sip:a@h SIP/2.0",
    b"X" * 9000 + b" sip:a@h SIP/2.0",
    b"INVITE sip:" + b"a" * 9000 + b"@h SIP/2.0",
    b"SIP/2.0 999 x",
    b"SIP/2.0 20 x",
    b"SIP/2.0",
    b"SIP/2.0 4294967301 x",
    b"SIP/2.0  200 OK",
    b"GET / HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01",
    b"",
    b"ACK sip:5000@192.0.2.1 SIP/2.0",
    b"OPTIONS sip:5000@192.0.2.1;maddr=127.0.0.1 SIP/2.0",
    b"OPTIONS sip:[::1]:99999 SIP/2.0",
    b"OPTIONS sip:a@h?x=y SIP/2.0",
)


def change_start_line(data: bytes, rng: Random) -> bytes:
    """Begin with another start line."""
    return rng.choice(_START_LINES) + b"\r\n" + data.partition(b"\r\n")[2]


def multipart_bomb(data: bytes, rng: Random) -> bytes:
    """Send a multipart that is deep, wide, unclosed or empty."""
    kind = rng.randrange(4)
    if kind == 0:
        depth = rng.choice((3, 4, 50))
        body = b"".join(
            [
                b"--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n" % (level, level + 1)
                for level in range(depth)
            ]
        )
    elif kind == 1:
        body = b"--b0\r\n\r\nx\r\n" * rng.choice((16, 17, 500)) + b"--b0--"
    elif kind == 2:
        body = b"--b0" * rng.choice((1, 500)) + b"--"
    else:
        body = b"--b0\r\n" + b"A: b\r\n" * 200 + b"\r\n--b0--"
    head = _request("MESSAGE", body=b"x", kind="multipart/mixed;boundary=b0").partition(b"Content-Length")[0]
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def splice(data: bytes, rng: Random) -> bytes:
    """Join the beginning of one message to the end of another."""
    other = rng.choice(good_messages())
    return data[: _place(data, rng)] + other[_place(other, rng) :] or b"\0"


def append_message(data: bytes, rng: Random) -> bytes:
    """Put another message after, or within the body of, this one."""
    return data + rng.choice((b"", b"\r\n", b"\r\n\r\n", b"\0")) + rng.choice(good_messages())


def noise(data: bytes, rng: Random) -> bytes:
    """Send something that was never SIP."""
    kinds = (
        b"\0" * 20,
        b"\r\n" * rng.randrange(40),
        b"jaK\0",
        b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(12),
        rng.randbytes(rng.randrange(1, 300)),
    )
    return rng.choice(kinds) or b"\r\n"


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_bits,
    truncate,
    cut_out,
    random_bytes,
    change_number,
    change_number,
    repeat_header,
    drop_header,
    shuffle_headers,
    change_line_end,
    insert_control,
    insert_marks,
    insert_marks,
    remove_mark,
    lengthen,
    fold,
    unicode_text,
    insert_escape,
    add_header,
    add_header,
    change_start_line,
    multipart_bomb,
    splice,
    append_message,
    noise,
)
MAX_SIZE = 65507  # bytes, what a UDP datagram over IPv4 can hold


def hostile_messages(seed: int, count: int) -> Iterator[bytes]:
    """Yield messages, the same ones for the same seed; none is empty or larger than a datagram."""
    rng = Random(seed)
    good = good_messages()
    for _ in range(count):
        data = rng.choice(good)
        if rng.random() >= 0.05:
            for mutate in rng.choices(MUTATIONS, k=rng.choice((1, 1, 1, 2, 3))):
                data = mutate(data or b"\0", rng)
        yield data[:MAX_SIZE] or b"\0"
