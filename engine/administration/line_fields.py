"""What is said of a line, as it is written and shown."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.administration.fields import CompanyUid, DomainUid, OwnDomain, Uid

Number = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9*#+_]+$",
        description="Its number; stands once among the lines, automates and rooms of its company.",
        examples=["201"],
    ),
]
UserUid = Annotated[
    str, Meta(max_length=32, description="The user whose line it is (her uid); null: nobody's.")
]
DisplayName = Annotated[str, Meta(max_length=128, description="Whose it is, as those who are called see it.")]
Protocol = Annotated[
    Literal["sip", "csta", "vti-xml"], Meta(description="How its phone is reached and driven.")
]
Password = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description="What the phone registers with; only digests of it are kept. It is written and never read. Of a"
        " line by csta or vti-xml, what the CTI link logs in with.",
    ),
]
Ip = Annotated[
    str,
    Meta(
        max_length=45,
        description="The phone's own address, where it is fixed; empty for none.",
        examples=["192.0.2.7"],
    ),
]
Video = Annotated[bool, Meta(description="Whether its phone shows pictures.")]
CallAppearances = Annotated[int, Meta(ge=1, le=100, description="Calls it can have at once.")]
OneNumber = Annotated[
    bool,
    Meta(description="Whether her desk phone and her mobile are reached, and shown, under this one number."),
]
_HOST = r"^([A-Za-z0-9:][A-Za-z0-9.:_-]*)?$"
SipUser = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=r"^[A-Za-z0-9._+*#-]*$",
        description="The name it registers under with its proxy; empty: its number.",
    ),
]
Proxy = Annotated[
    str, Meta(max_length=255, pattern=_HOST, description="The PBX it registers with; empty: this engine.")
]
Stun = Annotated[str, Meta(max_length=255, pattern=_HOST, description="STUN server; empty for none.")]
Port = Annotated[int, Meta(ge=1, le=65_535)]
Realm = Annotated[
    str, Meta(max_length=255, description="The realm its password is for; on this engine, the engine's own.")
]
Expiry = Annotated[int, Meta(ge=30, le=86_400)]
Dtmf = Annotated[
    Literal["auto", "rfc4733", "info", "inband"],
    Meta(
        description="How its digits are sent: as events (RFC 4733), by INFO, in the sound, or as its peer would."
    ),
]
G729 = Annotated[bool, Meta(description="Whether it may use G.729.")]
Tls = Annotated[bool, Meta(description="Whether it signals over TLS.")]
Srtp = Annotated[
    Literal["off", "optional", "required"] | None,
    Meta(description="Whether its sound is protected by SRTP; null: as media.srtp says."),
]
Enabled = Annotated[bool, Meta(description="Whether it may call and be called; a disabled user's may not.")]
ProxyPort = Annotated[Port | None, Meta(description="The proxy's port; null: that of the transport.")]
ClientPort = Annotated[Port | None, Meta(description="The port its phone signals from; null: any.")]
ExpirySeconds = Annotated[
    Expiry | None, Meta(description="Seconds its registration is asked to last; null: as the engine says.")
]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line: a number that a phone registers under."""

    uid: Uid
    company: CompanyUid
    domain: DomainUid
    user: Annotated[UserUid | None, Meta(description="The user whose line it is (her uid).")]
    number: Number
    display_name: DisplayName
    protocol: Protocol
    has_password: Annotated[
        bool, Meta(description="Whether it has a password; without one no phone registers.")
    ]
    ip: Ip
    video: Video
    call_appearances: CallAppearances
    one_number: OneNumber
    sip_user: SipUser
    proxy: Proxy
    proxy_port: ProxyPort
    stun: Stun
    realm: Realm
    expiry: ExpirySeconds
    dtmf: Dtmf
    g729: G729
    tls: Tls
    client_port: ClientPort
    srtp: Srtp
    enabled: Enabled


class LineDraft(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A new line; without a domain it is in her user's, if it has one."""

    number: Number
    domain: OwnDomain = None
    user: UserUid | None = None
    display_name: DisplayName = ""
    protocol: Protocol = "sip"
    password: Password | None = None
    ip: Ip = ""
    video: Video = False
    call_appearances: CallAppearances = 2
    one_number: OneNumber = False
    sip_user: SipUser = ""
    proxy: Proxy = ""
    proxy_port: ProxyPort = None
    stun: Stun = ""
    realm: Annotated[Realm | None, Meta(description="null: the engine's own.")] = None
    expiry: ExpirySeconds = None
    dtmf: Dtmf = "auto"
    g729: G729 = True
    tls: Tls = False
    client_port: ClientPort = None
    srtp: Srtp = None
    enabled: Enabled = True
