"""A message in text and HTML, perhaps with a calendar entry and a picture, as octets for the wire.

Header injection cannot happen: addresses are checked (``engine.mail.address``), names and subjects must be printable,
and the standard library's policy refuses a line end in any header; all before anything is queued.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from engine.mail.address import MAIL_ADDRESS

WIRE = SMTP.clone(cte_type="7bit")
"""ASCII on the wire: not every server takes more (RFC 6152)."""


class MessageError(ValueError):
    """A message that cannot be made: an address that is none, or a header over several lines."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG the HTML part shows by ``cid:`` and its name."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one person.

    sender, recipient, answers_to: a name (may be empty) and an address. calendar: an iCalendar object and its METHOD
    (RFC 6047 section 2.4). date: aware. identity: the Message-ID without its angle brackets.
    """

    sender: tuple[str, str]
    recipient: tuple[str, str]
    subject: str
    text: str
    html: str
    date: datetime
    identity: str
    language: str
    answers_to: tuple[str, str] | None = None
    calendar: tuple[bytes, str] | None = None
    picture: Picture | None = None

    def encode(self) -> bytes:
        """The message, CRLF line ends, lines of at most 998 octets. Raises MessageError."""
        try:
            return self._message().as_bytes(policy=WIRE)
        except ValueError as error:
            raise MessageError(str(error)) from error

    def _message(self) -> EmailMessage:
        if not self.subject.isprintable():  # the library takes a lone line feed
            raise MessageError("a subject over several lines")
        message = EmailMessage(policy=WIRE)
        message["From"] = _address(self.sender)
        message["To"] = _address(self.recipient)
        if self.answers_to is not None:
            message["Reply-To"] = _address(self.answers_to)
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.date)
        message["Message-ID"] = f"<{self.identity}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: no holiday notice in return
        message.set_content(self.text)
        message.add_alternative(self.html, subtype="html")
        if self.picture is not None:
            html = message.get_body(("html",))
            assert html is not None, "it was added above"
            html.add_related(
                self.picture.content, "image", "png", cid=f"<{self.picture.name}>", filename=self.picture.name
            )
        if self.calendar is not None:
            content, method = self.calendar
            message.add_alternative(
                content.decode(), subtype="calendar", cte="base64", params={"method": method}
            )
        message["Content-Language"] = self.language  # last: the parts would take it with them
        self._fix_boundaries(message)
        return message

    def _fix_boundaries(self, message: EmailMessage) -> None:
        """Boundaries by the message's identity, so that equal messages are equal octets."""
        stem = self.identity.partition("@")[0]
        for index, part in enumerate(part for part in message.walk() if part.is_multipart()):
            part.set_boundary(f"=_{stem}_{index}")


def _address(name_and_address: tuple[str, str]) -> Address:
    name, address = name_and_address
    if MAIL_ADDRESS.fullmatch(address) is None:
        raise MessageError("an address that is none")
    if not name.isprintable():
        raise MessageError("a name over several lines")
    return Address(display_name=name, addr_spec=address)
