"""From the fields of a form to a body of the API, and from its errors back."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.errors import (
    InvalidLifetimeError,
    InvalidResourceError,
    LimitNotEnforceableError,
    NoticeAddressError,
    OrthancShareError,
    ShareError,
    ShareTypeDisabledError,
)
from orthanc_share.store.records import StoredShare
from orthanc_share.web.problems import InvalidMembersError
from token_service.manage.words import DURATIONS, FIELD_ERRORS

BOTH_IDS: Final = 2
"""A study has a StudyInstanceUID and an Orthanc id."""

_ORTHANC_ID: Final = re.compile(r"(?:[0-9a-fA-F]{8}-){4}[0-9a-fA-F]{8}")
_MINUTES: Final = "%Y-%m-%dT%H:%M"
_MEMBERS: Final[Mapping[str, str]] = {
    "studies": "studies",
    "type": "type",
    "title": "title",
    "validity-duration": "duration",
    "expiration-date": "expires",
    "max-openings": "max-openings",
    "password": "password",
    "notify": "notify",
    "reason": "reason",
}
"""Member of the API's body to field."""

_FIELDS: Final[Mapping[type[ShareError], str]] = {
    InvalidResourceError: "studies",
    InvalidLifetimeError: "expires",
    ShareTypeDisabledError: "type",
    LimitNotEnforceableError: "max-openings",
    NoticeAddressError: "notify",
}
"""Error of the domain to field."""


def creation(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that asks for a share, as far as the form can be understood."""
    body: dict[str, Any] = {
        "studies": [
            study
            for line in form.get("studies", "").splitlines()
            for study in _studies(line)
        ],
        "type": form.get("type", ""),
        "anonymized": form.get("anonymized") == "yes",
    }
    if _text(form, "title"):
        body["title"] = _text(form, "title")
    if _text(form, "expires"):
        body["expiration-date"] = _text(form, "expires")
    elif form.get("duration"):
        duration = _number(form["duration"])
        # Another number the API would take for "as the site does".
        body["validity-duration"] = duration if duration in DURATIONS else "?"
    if _text(form, "max-openings"):
        body["max-openings"] = _number(_text(form, "max-openings"))
    if form.get("password"):
        body["password"] = form["password"]
    if _text(form, "notify"):
        body["notify"] = _text(form, "notify")
    return body


def shown(kept: StoredShare) -> dict[str, str]:
    """Return the fields that show a share as it is."""
    end, most = kept.share.expires_at, kept.max_openings
    return {
        "title": kept.title or "",
        "expires": "" if end is None else end.strftime(_MINUTES),
        "max-openings": "" if most is None else str(most),
    }


def changing(form: Mapping[str, str], kept: StoredShare) -> dict[str, Any]:
    """Return the body that asks for what differs from the share as it is."""
    body: dict[str, Any] = {}
    present = shown(kept)
    wanted = {name: _text(form, name) for name in present}
    if wanted["title"] != present["title"].strip():
        body["title"] = wanted["title"] or None
    if _minutes(wanted["expires"]) != present["expires"]:
        body["expiration-date"] = wanted["expires"] or None
    if wanted["max-openings"] != present["max-openings"]:
        most = wanted["max-openings"]
        body["max-openings"] = _number(most) if most else None
    if form.get("password"):
        body["password"] = form["password"]
    elif form.get("no-password") == "yes":
        body["password"] = None
    return body


def errors_of(error: OrthancShareError) -> dict[str, str]:
    """Return what is wrong, by field; what no field is to blame for under "".

    Raises:
        OrthancShareError: It is not about what somebody filled in.
    """
    if isinstance(error, InvalidMembersError):
        names = (member["location"].partition(".")[0] for member in error.members)
        fields = dict.fromkeys(_MEMBERS.get(name, "") for name in names)
        return {name: FIELD_ERRORS.get(name, str(error)) for name in fields}
    if isinstance(error, ShareError):
        found = (name for kind, name in _FIELDS.items() if isinstance(error, kind))
        return {next(found, ""): str(error)}
    raise error


def _text(form: Mapping[str, str], name: str) -> str:
    return form.get(name, "").strip()


def _studies(line: str) -> list[dict[str, str]]:
    """Return the studies of a line: one by both ids, else one for each id."""
    ids = [word for word in re.split(r"[\s,;]+", line) if word]
    studies = [{_kind(word): word} for word in ids]
    kinds = {kind for study in studies for kind in study}
    if len(ids) == len(kinds) == BOTH_IDS:
        return [studies[0] | studies[1]]
    return studies


def _kind(word: str) -> str:
    return "orthanc-id" if _ORTHANC_ID.fullmatch(word) else "dicom-uid"


def _number(text: str) -> int | str:
    """Return a number; what is none goes on as it is, to be refused."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else text


def _minutes(text: str) -> str:
    """Return a date and time as `shown` writes it; others as they are."""
    try:
        return to_utc(datetime.fromisoformat(text)).strftime(_MINUTES)
    except ValueError:
        return text
