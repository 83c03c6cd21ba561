"""What all bodies share: kebab-case JSON and the types of members that recur."""

import unicodedata
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StrictInt,
    StrictStr,
)

from orthanc_share.domain.clock import to_utc

TITLE_LENGTH_MAX = 255
"""Longest title of a share, in characters: what the registry keeps."""

OPENINGS_MAX = 1_000_000
"""Largest limit of openings; whoever wants more wants none."""

PASSWORD_LENGTH_MIN = 6
"""Shortest second factor, in characters; tries are few, so a PIN will do."""

PASSWORD_LENGTH_MAX = 128
"""Longest second factor, in characters."""


def kebab(name: str) -> str:
    """Return the wire name of a field."""
    return name.replace("_", "-")


def _date(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("should be an ISO 8601 date-time")  # noqa: TRY004 - pydantic wants ValueError
    try:
        return to_utc(datetime.fromisoformat(value))
    except ValueError:
        # The parser's own text would show the value.
        raise ValueError("should be an ISO 8601 date-time") from None


def _short_text(value: str) -> str:
    if any(unicodedata.category(mark) in {"Cc", "Cs"} for mark in value):
        raise ValueError("should hold no control characters")
    return value.strip()


Instant = Annotated[
    datetime | None, BeforeValidator(_date, json_schema_input_type=str | None)
]
"""ISO 8601; without offset it is UTC."""

Expiry = Annotated[
    Instant, Field(description="ISO 8601; without offset it is UTC; null: never")
]
"""When a share ends."""

ShortText = Annotated[
    StrictStr, AfterValidator(_short_text), Field(max_length=TITLE_LENGTH_MAX)
]
"""A line of free text."""

Title = Annotated[
    ShortText | None,
    Field(description="Free text to find the share by; name no patient in it"),
]
"""Title of a share."""

MaxOpenings = Annotated[
    Annotated[StrictInt, Field(ge=1, le=OPENINGS_MAX)] | None,
    Field(description="How often the link may be opened; null: no limit"),
]
"""Limit of openings."""

Password = Annotated[
    Annotated[
        SecretStr,
        Field(min_length=PASSWORD_LENGTH_MIN, max_length=PASSWORD_LENGTH_MAX),
    ]
    | None,
    Field(description="Second factor, asked for when the link is opened; null: none"),
]
"""Second factor."""


def revealed(secret: SecretStr | None) -> str | None:
    """Return the text of a secret, if there is one; it may be empty."""
    return None if secret is None else secret.get_secret_value()


class Wire(BaseModel):
    """Base of all bodies: kebab-case, underscores too, unknown members ignored."""

    model_config = ConfigDict(
        alias_generator=kebab,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )
