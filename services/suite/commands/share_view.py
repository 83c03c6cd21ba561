"""Shares and their events as tables for people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from suite.commands.output import NONE, moment, print_table, shown

COLUMNS = ("id", "status", "type", "title", "creator", "created", "expires", "opened")
"""Columns of a list; instants are UTC."""

EVENT_COLUMNS = ("at", "event", "actor", "address", "reason", "details")
"""Columns of a list of events."""

_MOMENTS = ("created", "not-before", "expires", "last-opened")
_FIRST = ("id", "status", "type", "anonymized", "title", "label", "creator")

Json = Mapping[str, Any]
"""An object of the API."""


def print_shares(shares: Sequence[Json]) -> None:
    """Print a list of shares."""
    print_table(COLUMNS, [_row(share) for share in shares])


def print_share(share: Json) -> None:
    """Print all that is known of a share, a line for each thing."""
    print_table(("", ""), [*_lines(share)], heads=False)


def print_events(events: Sequence[Json]) -> None:
    """Print a list of events."""
    print_table(EVENT_COLUMNS, [_event_row(event) for event in events])


def expiry(share: Json) -> str:
    """Return when a share ends, for a sentence."""
    end = share.get("expires")
    return "never" if end is None else f"{moment(end)} UTC"


def _row(share: Json) -> list[str]:
    names = ("id", "status", "type", "title", "creator")
    first = [shown(share.get(name)) for name in names]
    instants = [moment(share.get(name)) for name in ("created", "expires")]
    return [*first, *instants, _opened(share)]


def _opened(share: Json) -> str:
    opened, limit = share.get("opened"), share.get("max-openings")
    return shown(opened) if limit is None else f"{shown(opened)}/{shown(limit)}"


def _lines(share: Json) -> Iterator[tuple[str, str]]:
    rest = sorted(share.keys() - {*_FIRST, "revoked", "resources", "studies"})
    for name in (*_FIRST, *rest):
        if name in share:
            value = share[name]
            yield name, moment(value) if name in _MOMENTS else shown(value)
    revoked = share.get("revoked")
    if isinstance(revoked, Mapping):
        by, reason = shown(revoked.get("by")), shown(revoked.get("reason"))
        yield "revoked", f"{moment(revoked.get('at'))} by {by}, reason: {reason}"
    for one in share.get("resources") or share.get("studies") or ():
        yield "resource", _resource(one)


def _resource(one: Any) -> str:
    if not isinstance(one, Mapping):
        return shown(one)
    ids = [one.get(name) for name in ("level", "dicom-uid", "orthanc-id")]
    return " ".join(shown(part) for part in ids if part) or NONE


def _event_row(event: Json) -> list[str]:
    names = ("event", "actor", "address", "reason")
    cells = [moment(event.get("at")), *(shown(event.get(name)) for name in names)]
    details = event.get("details")
    return [*cells, _details(details) if isinstance(details, Mapping) else NONE]


def _details(details: Json) -> str:
    said = (f"{shown(name)}={shown(value)}" for name, value in details.items())
    return ", ".join(said) or NONE
