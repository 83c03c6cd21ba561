"""`orthanc-share audit`: the trail of events, taken out and checked."""

import csv
import re
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from orthanc_share.store.audit import EventFilter
from orthanc_share.store.records import StoredEvent
from orthanc_share.store.verifying import Anchor, Broken, Intact
from suite.commands.database import opened
from suite.commands.instants import instant
from suite.commands.output import (
    EXIT_NO,
    fail,
    print_json,
    print_json_line,
    say,
    tell,
    waiting,
)
from suite.commands.running import run, told
from token_service.registry_settings import RegistrySettings

COLUMNS = (
    "seq",
    "at",
    "event",
    "share",
    "actor",
    "address",
    "user-agent",
    "studies",
    "reason",
    "details",
    "hash",
)
"""Members of a line, columns of a table."""

audit_cli = typer.Typer(
    help="The trail of events, read from the database itself.", no_args_is_help=True
)
_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})", re.ASCII)
# A spreadsheet would take what begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    """How events are written."""

    JSONL = "jsonl"
    CSV = "csv"


@audit_cli.command()
def export(
    *,
    form: Annotated[
        Format, typer.Option("--format", help="JSON Lines, or CSV for spreadsheets.")
    ] = Format.JSONL,
    since: Annotated[str | None, typer.Option(help="First instant, ISO 8601.")] = None,
    until: Annotated[
        str | None, typer.Option(help="First instant that is left out, ISO 8601.")
    ] = None,
    share: Annotated[str | None, typer.Option(help="Of this share's id.")] = None,
    study: Annotated[str | None, typer.Option(help="Of this StudyInstanceUID.")] = None,
) -> None:
    """Write events to standard output, earliest first."""
    wanted = EventFilter(
        since=None if since is None else instant(since, "--since"),
        until=None if until is None else instant(until, "--until"),
        share_id=share,
        study=study,
    )
    with told():
        settings = RegistrySettings.load()
    write = print_json_line if form is Format.JSONL else _csv_writer()
    count = run(_export(settings, wanted, write))
    tell("1 event." if count == 1 else f"{count} events.")


async def _export(
    settings: RegistrySettings,
    wanted: EventFilter,
    write: Callable[[dict[str, Any]], None],
) -> int:
    async with opened(settings) as store:
        with waiting("Events", with_data=True) as progress:
            async for event in store.audit.export(wanted):
                write(members(event))
                progress.step()
            return progress.count


def members(stored: StoredEvent) -> dict[str, Any]:
    """Return an event as it is written."""
    event, origin = stored.event, stored.event.origin
    values = (
        stored.seq,
        event.at.isoformat(),
        event.kind.value,
        event.share_id,
        origin.actor,
        origin.address,
        origin.user_agent,
        list(event.studies),
        event.reason,
        dict(event.details),
        stored.hash.hex(),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _csv_writer() -> Callable[[dict[str, Any]], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(event: dict[str, Any]) -> None:
        writer.writerow([_cell(value) for value in event.values()])

    return write


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = " ".join(value)
    elif isinstance(value, dict):
        value = " ".join(f"{name}={one}" for name, one in value.items())
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


@audit_cli.command()
def verify(
    *,
    anchors: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor",
            help="What an earlier run printed: number:hash; may be repeated.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell whether the trail is as it was written.

    Exit status 1: it was changed. Note the anchor that is printed where nobody who can
    write to the database can reach it: the next run with it finds a trail that was
    written anew.
    """
    noted = [_anchor(text) for text in anchors or ()]
    with told():
        settings = RegistrySettings.load()
    found = run(_verify(settings, noted))
    if as_json:
        print_json(_verdict(found))
    if isinstance(found, Broken):
        hint = "" if settings.audit_key is not None else _WITHOUT_KEY
        fail(f"Broken at event {found.seq}: {found.problem}.{hint}", status=EXIT_NO)
    if not as_json:
        say(f"Intact: {found.head.seq} events.")
        say(f"anchor {_text(found.head)}")


_WITHOUT_KEY = " Without AUDIT_KEY here: does token-service have one?"


async def _verify(settings: RegistrySettings, noted: list[Anchor]) -> Intact | Broken:
    async with opened(settings) as store:
        with waiting("Following the chain"):
            return await store.verify_audit(noted)


def _verdict(found: Intact | Broken) -> dict[str, Any]:
    if isinstance(found, Broken):
        return {"intact": False, "seq": found.seq, "problem": found.problem}
    return {"intact": True, "events": found.head.seq, "anchor": _text(found.head)}


def _anchor(text: str) -> Anchor:
    matched = _ANCHOR.fullmatch(text)
    if matched is None:
        fail("--anchor should be number:hash, as an earlier run printed it.")
    return Anchor(int(matched[1]), bytes.fromhex(matched[2]))


def _text(anchor: Anchor) -> str:
    return f"{anchor.seq}:{anchor.hash.hex()}"
