"""Hypothesis strategies for URIs, name-addrs, Via and whole messages, all of them legal."""

from __future__ import annotations

from hypothesis import strategies as st

from sip.grammar import write_value
from sip.message import Request, Response
from sip.uri import NameAddr, Uri, escape_header, escape_user
from sip.via import Via

TOKEN_CHARS = "abcXYZ019-.!%*_+`'~"

tokens = st.text(TOKEN_CHARS, min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
ports = st.none() | st.integers(1, 65535)
names = st.from_regex(r"[a-z][a-z0-9\-]{0,8}(\.[a-z]{1,4})?", fullmatch=True)
hosts = names | st.ip_addresses().map(str)
param_names = st.from_regex(r"[a-z][a-z0-9\-]{0,6}", fullmatch=True)


@st.composite
def uris(draw: st.DrawFn, headers: bool = True) -> Uri:
    """Draw a sip or sips URI."""
    user = draw(st.none() | texts.filter(bool).map(escape_user))
    password = None if user is None else draw(st.none() | st.text("ab0-_.!~*'()&=+$,", max_size=8))
    param_values = st.none() | texts.filter(bool).map(escape_header)
    header_fields = st.tuples(param_names, texts.map(escape_header))
    return Uri(
        scheme=draw(st.sampled_from(["sip", "sips"])),
        user=user,
        password=password,
        host=draw(hosts),
        port=draw(ports),
        params=tuple(draw(st.lists(st.tuples(param_names, param_values.map(_uri_value)), max_size=3))),
        headers=tuple(draw(st.lists(header_fields, max_size=2))) if headers else (),
    )


def _uri_value(value: str | None) -> str | None:
    return None if value is None else value.replace("?", "%3F")


_generic_params = st.lists(
    st.tuples(param_names, st.none() | texts.filter(bool).map(write_value)), max_size=3
).map(tuple)


@st.composite
def name_addrs(draw: st.DrawFn) -> NameAddr:
    """Draw a name-addr; the display name may be anything without control characters."""
    return NameAddr(draw(st.none() | texts), draw(uris()), draw(_generic_params))


@st.composite
def vias(draw: st.DrawFn) -> Via:
    """Draw a Via value."""
    branch = ("branch", "z9hG4bK" + draw(tokens))
    transport = draw(st.sampled_from(["UDP", "TCP", "TLS", "SCTP"]))
    return Via(transport, draw(hosts), draw(ports), (branch, *draw(_generic_params)))


_extension_headers = st.lists(
    st.tuples(
        tokens.map(lambda name: "X-" + name),
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(
            lambda text: text.strip(" \t")
        ),
    ),
    max_size=4,
)


@st.composite
def _headers(draw: st.DrawFn, method: str) -> list[tuple[str, str]]:
    fields = [
        *(
            (draw(st.sampled_from(["Via", "v", "VIA"])), str(via))
            for via in draw(st.lists(vias(), min_size=1, max_size=3))
        ),
        (draw(st.sampled_from(["From", "f"])), str(draw(name_addrs()))),
        (draw(st.sampled_from(["To", "t"])), str(draw(name_addrs()))),
        (draw(st.sampled_from(["Call-ID", "i"])), draw(tokens) + "@" + draw(names)),
        ("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
        *(("Contact", str(contact)) for contact in draw(st.lists(name_addrs(), max_size=2))),
        *(("Record-Route", str(route)) for route in draw(st.lists(name_addrs(), max_size=2))),
        *draw(_extension_headers),
    ]
    return draw(st.permutations(fields))


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request as ``parse_message`` would return it."""
    method = draw(st.sampled_from(["INVITE", "BYE", "REGISTER"]) | tokens)
    headers = draw(_headers(method))
    headers.append(("Max-Forwards", str(draw(st.integers(0, 255)))))
    return Request(method, str(draw(uris(headers=False))), headers, draw(st.binary(max_size=50)))


@st.composite
def responses(draw: st.DrawFn) -> Response:
    """Draw a response as ``parse_message`` would return it."""
    return Response(
        draw(st.integers(100, 699)), draw(texts), draw(_headers("INVITE")), draw(st.binary(max_size=50))
    )
