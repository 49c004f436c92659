"""Call transfer on the wire: Replaces (RFC 3891), Refer-To (RFC 3515) and message/sipfrag (RFC 3420)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import ParseError
from sip.grammar import find_param, parse_params
from sip.message import REASONS
from sip.uri import NameAddr, Uri, escape_header

SIPFRAG = "message/sipfrag"
MAX_SIPFRAG = 4096


@dataclass(frozen=True, slots=True)
class Replaces:
    """The dialog to be replaced, in the words of its receiver: ``to_tag`` is the receiver's own tag."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool = False

    @classmethod
    def parse(cls, text: str) -> Replaces:
        """Read a Replaces value (RFC 3891 section 6.1). Raises ParseError."""
        call_id, semicolon, rest = text.partition(";")
        params = parse_params(rest) if semicolon else ()
        to_tag, from_tag = find_param(params, "to-tag"), find_param(params, "from-tag")
        call_id = call_id.strip()
        if not call_id or not to_tag or not from_tag:
            raise ParseError("replaces", "expected a Call-ID, to-tag and from-tag")
        return cls(call_id, to_tag, from_tag, find_param(params, "early-only") is not None)

    def __str__(self) -> str:
        tail = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.to_tag};from-tag={self.from_tag}{tail}"


def read_refer_to(text: str) -> tuple[NameAddr, Replaces | None]:
    """Read Refer-To: whom to call, and which dialog of his the call replaces. Raises ParseError.

    Other headers in the URI are dropped: the referrer does not get to write our requests.
    """
    target = NameAddr.parse(text)
    replaced = target.uri.header("replaces")
    replaces = Replaces.parse(replaced) if replaced is not None else None
    return NameAddr(target.display, target.uri.with_(headers=()), target.params), replaces


def write_refer_to(target: Uri, replaces: Replaces | None = None) -> str:
    """Write a Refer-To value."""
    if replaces is not None:
        target = target.with_(headers=(("Replaces", escape_header(str(replaces))),))
    return f"<{target}>"


def write_sipfrag(status: int, reason: str | None = None) -> bytes:
    """The status line that a NOTIFY of a REFER carries (RFC 3515 section 2.4.5)."""
    text = REASONS.get(status, "") if reason is None else reason
    printable = "".join([char if char.isprintable() else " " for char in text])
    return f"SIP/2.0 {status} {printable}\r\n".encode()


def read_sipfrag(body: bytes) -> int | None:
    """The status code of a sipfrag, None when it has none (RFC 3515 section 2.4.5)."""
    words = body[:MAX_SIPFRAG].split(None, 2)
    if len(words) < 2 or words[0].upper() != b"SIP/2.0":
        return None
    digits = words[1]
    if len(digits) != 3 or not digits.isdigit() or not b"100" <= digits < b"700":
        return None
    return int(digits)
