"""Reliable provisional responses (RFC 3262): RSeq and RAck, and the order of both sides."""

from __future__ import annotations

from typing import NamedTuple

from sip.errors import ParseError
from sip.grammar import is_token, parse_integer
from sip.message import MAX_CSEQ, CSeq, Response

OPTION = "100rel"
MAX_RSEQ = 2**32 - 1
FIRST_RSEQ = 2**31 - 1  # section 3: the first is chosen from 1 to this


class RAck(NamedTuple):
    """Which response a PRACK acknowledges (section 7.2)."""

    rseq: int
    cseq: CSeq

    @classmethod
    def parse(cls, text: str) -> RAck:
        """Read ``response-num CSeq-num Method``. Raises ParseError."""
        words = text.split()
        if len(words) != 3 or not is_token(words[2]):
            raise ParseError("rack", "expected two numbers and a method")
        cseq = CSeq(parse_integer(words[1], MAX_CSEQ, "rack"), words[2])
        return cls(parse_integer(words[0], MAX_RSEQ, "rack"), cseq)

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"


def first_rseq(random: float) -> int:
    """A starting number from a random number in [0, 1)."""
    return 1 + int(random * (FIRST_RSEQ - 1))


def rseq_of(response: Response) -> int | None:
    """The RSeq of a response that must be acknowledged; None for an unreliable or unreadable one."""
    if not 100 < response.status < 200 or OPTION not in response.require:
        return None
    text = response.headers.get("rseq")
    if text is None:
        return None
    try:
        return parse_integer(text, MAX_RSEQ, "rseq")
    except ParseError:
        return None


class RSeqOrder:
    """The receiving side, one for each early dialog (section 4)."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: int | None = None

    def take(self, rseq: int) -> bool:
        """Whether this response is new and the next in order.

        A repeated one needs no second PRACK, which its transaction repeats; one ahead of a gap is not
        acknowledged, so that it comes again after the missing one.
        """
        if self._last is not None and rseq != self._last + 1:
            return False
        self._last = rseq
        return True
