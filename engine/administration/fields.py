"""Types of fields that several nouns have."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        description="What people call it, on one line; unique without regard to case and accents.",
        examples=["Example"],
    ),
]
Uid = Annotated[
    str,
    Meta(max_length=32, description="Its identity: a prefix that says what it is, and 20 random characters."),
]
CompanyUid = Annotated[str, Meta(max_length=32, description="The company it belongs to.")]
DomainUid = Annotated[str, Meta(max_length=32, description="The domain it belongs to.")]
OwnDomain = Annotated[
    str | None,
    Meta(
        description="The uid of its domain; may be left out by whoever has only one. Later, one of its company's."
    ),
]
Culture = Annotated[
    Literal["en", "fr"],
    Meta(description="The language people are spoken and written to in.", examples=["fr"]),
]
