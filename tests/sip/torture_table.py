"""What RFC 4475 asks of each of its 49 messages: at the parser, and of a user agent that gets it over UDP.

``statuses`` holds every final answer that is right for a user agent which may or may not know the callee, take
the caller, or be a registrar; None means that nothing may be answered. What the parser accepts and a user agent
refuses (416, 420, 415, 405, 483) is a matter of the layers above.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

MESSAGES = Path(__file__).parent.parent / "golden" / "sip" / "rfc4475"


class Torture(NamedTuple):
    """One message of RFC 4475."""

    name: str
    section: str
    valid: bool
    """Whether ``parse_message`` accepts it as a datagram."""
    statuses: frozenset[int] | None
    """The final answers that are right over UDP; None: no answer."""
    note: str
    label: str = ""
    """The label of the ParseError, when it is not valid."""

    def read(self) -> bytes:
        """Return the message."""
        return (MESSAGES / f"{self.name}.sip").read_bytes()


_REFUSALS = frozenset({401, 403, 404, 407})
_CALL = _REFUSALS | {200, 480, 484, 486, 488, 500, 501, 503, 603}
_OPTIONS = _REFUSALS | {200, 480, 486, 488}
_REGISTER = _REFUSALS | {200, 405, 423, 501}
_MESSAGE = _REFUSALS | {200, 202, 405, 415, 480, 501}
_UNKNOWN = frozenset({405, 501})
_BAD = frozenset({400})

TABLE = (
    Torture(
        "wsinv", "3.1.1.1", True, _CALL | {481}, "folds, blanks and compact forms everywhere; To has a tag"
    ),
    Torture("intmeth", "3.1.1.2", True, _UNKNOWN, "every character that is legal; an unknown method"),
    Torture("esc01", "3.1.1.3", True, _CALL, "escapes in URIs; the user is not the sips URI it looks like"),
    Torture("escnull", "3.1.1.4", True, _REGISTER, "%00 in user parts; two different contacts"),
    Torture(
        "esc02", "3.1.1.5", True, _UNKNOWN, "% is no escape in a method, a header name or a display name"
    ),
    Torture("lwsdisp", "3.1.1.6", True, _OPTIONS, "no blank between display name and angle bracket"),
    Torture("longreq", "3.1.1.7", True, _CALL | {413, 414, 513}, "long values, 34 Via"),
    Torture("dblreq", "3.1.1.8", True, _REGISTER, "a second request in the datagram is ignored"),
    Torture("semiuri", "3.1.1.9", True, _OPTIONS, "a semicolon belongs to the user part"),
    Torture("transports", "3.1.1.10", True, _OPTIONS, "unknown transports in Via"),
    Torture("mpart01", "3.1.1.11", True, _MESSAGE | {400, 493}, "a binary part"),
    Torture("unreason", "3.1.1.12", True, None, "a response: UTF-8 in the reason phrase"),
    Torture("noreason", "3.1.1.13", True, None, "a response: an empty reason phrase"),
    Torture("badinv01", "3.1.2.1", False, _BAD, "stray separators", "parameter"),
    Torture("clerr", "3.1.2.2", False, _BAD, "Content-Length beyond the datagram", "content_length"),
    Torture("ncl", "3.1.2.3", False, _BAD, "a negative Content-Length", "content_length"),
    Torture("scalar02", "3.1.2.4", False, _BAD, "integers out of range in a request", "cseq_range"),
    Torture("scalarlg", "3.1.2.5", False, None, "integers out of range in a response", "cseq_range"),
    Torture("quotbal", "3.1.2.6", False, _BAD, "an open quote in To", "quote"),
    Torture("ltgtruri", "3.1.2.7", False, _BAD, "angle brackets around the Request-URI", "uri"),
    Torture("lwsruri", "3.1.2.8", False, _BAD, "a blank inside the Request-URI", "request_line"),
    Torture("lwsstart", "3.1.2.9", False, _BAD, "several blanks in the request line", "request_line"),
    Torture("trws", "3.1.2.10", False, _BAD, "blanks at the end of the request line", "request_line"),
    Torture("escruri", "3.1.2.11", False, _BAD, "headers in the Request-URI", "request_uri"),
    Torture("baddate", "3.1.2.12", True, _CALL | {400}, "a Date that is not GMT; nobody asks for it"),
    Torture("regbadct", "3.1.2.13", False, _BAD, "a question mark without angle brackets", "name_addr"),
    Torture("badaspec", "3.1.2.14", False, _BAD, "blanks inside angle brackets", "uri"),
    Torture("baddn", "3.1.2.15", False, _BAD, "a comma in an unquoted display name", "display_name"),
    Torture("badvers", "3.1.2.16", False, frozenset({505}), "SIP/7.0", "version"),
    Torture("mismatch01", "3.1.2.17", False, _BAD, "CSeq names another method", "cseq_method"),
    Torture("mismatch02", "3.1.2.18", False, _BAD | {501}, "CSeq names another method", "cseq_method"),
    Torture("bigcode", "3.1.2.19", False, None, "a response: a status code of ten digits", "status_code"),
    Torture("badbranch", "3.2.1", True, _OPTIONS | {400}, "a branch that is only the magic cookie"),
    Torture("insuf", "3.3.1", False, _BAD, "no Call-ID, From and To", "missing_from"),
    Torture("unkscm", "3.3.2", True, frozenset({416}), "an unknown scheme in the Request-URI"),
    Torture(
        "novelsc", "3.3.3", True, frozenset({416}), "a known scheme that is not SIP's in the Request-URI"
    ),
    Torture("unksm2", "3.3.4", True, _REGISTER | {400, 416}, "unknown schemes in To, From and Contact"),
    Torture("bext01", "3.3.5", True, frozenset({420}), "unknown options in Require"),
    Torture("invut", "3.3.6", True, frozenset({415}), "an unknown body type"),
    Torture("regaut01", "3.3.7", True, _REFUSALS | {405, 501}, "an unknown authorization scheme"),
    Torture("multi01", "3.3.8", False, _BAD, "several Call-ID, CSeq, From, To and Max-Forwards", "repeated_"),
    Torture("mcl01", "3.3.9", False, _BAD, "two values of Content-Length", "repeated_content_length"),
    Torture("bcast", "3.3.10", True, None, "a response with a broadcast address in its second Via"),
    Torture(
        "zeromf", "3.3.11", True, _OPTIONS | {483}, "Max-Forwards is 0, which a user agent need not mind"
    ),
    Torture("cparam01", "3.3.12", True, _REGISTER, "an unknown parameter of the Contact header"),
    Torture("cparam02", "3.3.13", True, _REGISTER, "an unknown parameter of the Contact URI"),
    Torture("regescrt", "3.3.14", True, _REGISTER | {400}, "a Contact URI with an escaped Route header"),
    Torture("sdp01", "3.3.15", True, (_CALL | {406}) - {200}, "Accept without application/sdp"),
    Torture("inv2543", "3.4.1", True, _CALL, "a call as RFC 2543 wrote it: no branch, no From tag"),
)
