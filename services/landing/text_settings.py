"""Settings of the landing service: the site's own words."""

from typing import Annotated, Any

from pydantic import Field

from landing.site import OwnText
from orthanc_share.config.sources import SettingsBase

TITLE_LENGTH_MAX = 200
"""Longest heading of the site's own, in characters."""

MESSAGE_LENGTH_MAX = 10_000
"""Longest message of the site's own, in characters."""


def _title(what: str) -> Any:
    return Field(description=f"Heading of the page {what}", max_length=TITLE_LENGTH_MAX)


def _message(what: str) -> Any:
    return Field(
        description=f"Text of the page {what}, instead of ours and its advice",
        max_length=MESSAGE_LENGTH_MAX,
    )


class TextSettings(SettingsBase):
    """Words that replace ours, one pair for each page."""

    title_expired_token: Annotated[str | None, _title("for an expired link")] = None
    message_expired_token: Annotated[str | None, _message("for an expired link")] = None
    title_invalid_token: Annotated[str | None, _title("for a damaged link")] = None
    message_invalid_token: Annotated[str | None, _message("for a damaged link")] = None
    title_missing_token: Annotated[str | None, _title("for a visit without link")] = (
        None
    )
    message_missing_token: Annotated[
        str | None, _message("for a visit without link")
    ] = None
    title_not_allowed: Annotated[
        str | None, _title("for a link that is not opened here")
    ] = None
    message_not_allowed: Annotated[
        str | None, _message("for a link that is not opened here")
    ] = None
    title_not_yet_valid: Annotated[
        str | None, _title("for a link that starts later")
    ] = None
    message_not_yet_valid: Annotated[
        str | None, _message("for a link that starts later")
    ] = None
    title_revoked: Annotated[str | None, _title("for a link that was taken back")] = (
        None
    )
    message_revoked: Annotated[
        str | None, _message("for a link that was taken back")
    ] = None
    title_used_up: Annotated[
        str | None, _title("for a link that was opened often enough")
    ] = None
    message_used_up: Annotated[
        str | None, _message("for a link that was opened often enough")
    ] = None
    title_ask: Annotated[str | None, _title("with the button that opens a link")] = None
    message_ask: Annotated[
        str | None, _message("with the button that opens a link")
    ] = None
    title_ask_password: Annotated[str | None, _title("that asks for a password")] = None
    message_ask_password: Annotated[
        str | None, _message("that asks for a password")
    ] = None
    title_wrong_password: Annotated[str | None, _title("for a wrong password")] = None
    message_wrong_password: Annotated[str | None, _message("for a wrong password")] = (
        None
    )
    title_locked: Annotated[str | None, _title("for too many wrong passwords")] = None
    message_locked: Annotated[str | None, _message("for too many wrong passwords")] = (
        None
    )
    title_stale_form: Annotated[str | None, _title("for a form that is too old")] = None
    message_stale_form: Annotated[
        str | None, _message("for a form that is too old")
    ] = None
    title_unchecked: Annotated[str | None, _title("for trouble with the registry")] = (
        None
    )
    message_unchecked: Annotated[
        str | None, _message("for trouble with the registry")
    ] = None
    title_unavailable: Annotated[str | None, _title("for trouble with MedDream")] = None
    message_unavailable: Annotated[
        str | None, _message("for trouble with MedDream")
    ] = None
    title_error: Annotated[str | None, _title("for an unexpected error")] = None
    message_error: Annotated[str | None, _message("for an unexpected error")] = None
    title_unsupported: Annotated[str | None, _title("for other methods")] = None
    message_unsupported: Annotated[str | None, _message("for other methods")] = None

    def own_text(self, setting: str) -> OwnText:
        """Return the site's own words for the page with this `PageKind.setting`."""
        name = setting.lower()
        return OwnText(getattr(self, f"title_{name}"), getattr(self, f"message_{name}"))
