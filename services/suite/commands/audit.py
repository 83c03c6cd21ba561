"""`orthanc-share audit`: the trail of events, taken out and checked."""

import csv
import sys
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from orthanc_share.domain.errors import UpstreamError
from orthanc_share.domain.resource import is_uid
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.verifying import BEGINNING, Anchor, Broken, Intact
from orthanc_share.upstream.management import SERVER, ManagementClient
from suite.commands.caller import CallerSettings, caller, connected
from suite.commands.database import opened
from suite.commands.instants import instant
from suite.commands.output import (
    EXIT_NO,
    Progress,
    fail,
    print_json,
    print_json_line,
    say,
    shown,
    tell,
    waiting,
)
from suite.commands.running import run, told
from token_service.audit_wire import Verdict
from token_service.registry_schemas import AuditEvent
from token_service.registry_settings import RegistrySettings
from token_service.wire import kebab

COLUMNS = tuple(kebab(name) for name in AuditEvent.model_fields)
"""Members of a line, columns of a table."""

audit_cli = typer.Typer(
    help="The trail of events: of a running token-service, or in the database.",
    no_args_is_help=True,
)
# A spreadsheet would take what begins so for a formula (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Json = dict[str, Any]
FromDatabase = Annotated[
    bool,
    typer.Option(
        "--database",
        help="Read the database itself, with the settings of token-service.",
    ),
]


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
    database: FromDatabase = False,
) -> None:
    """Write events to standard output, earliest first."""
    if study is not None and not is_uid(study):
        fail("--study should be a StudyInstanceUID.")
    wanted = EventFilter(
        since=None if since is None else instant(since, "--since"),
        until=None if until is None else instant(until, "--until"),
        share_id=share,
        study=study,
    )
    with told():
        events = _stored(wanted) if database else _served(wanted)
    write = print_json_line if form is Format.JSONL else _csv_writer()
    count = run(_write(events, write))
    tell("1 event." if count == 1 else f"{count} events.")


async def _write(events: AsyncIterator[Json], write: Callable[[Json], None]) -> int:
    with waiting("Events", with_data=True) as progress:
        async for event in events:
            write(event)
            progress.step()
        return progress.count


def _stored(wanted: EventFilter) -> AsyncIterator[Json]:
    """Give events of the database."""
    settings = RegistrySettings.load()

    async def events() -> AsyncIterator[Json]:
        async with opened(settings) as store:
            async for event in store.audit.export(wanted):
                yield AuditEvent.of(event).model_dump(mode="json", by_alias=True)

    return events()


def _served(wanted: EventFilter) -> AsyncIterator[Json]:
    """Give events of a running token-service."""
    settings = caller()
    since, until = wanted.since, wanted.until
    given = {
        "since": None if since is None else since.isoformat(),
        "until": None if until is None else until.isoformat(),
        "share": wanted.share_id,
        "study": wanted.study,
    }
    query = {name: value for name, value in given.items() if value is not None}

    async def events() -> AsyncIterator[Json]:
        async with connected(settings) as service:
            async for event in service.audit(query):
                yield event

    return events()


def _csv_writer() -> Callable[[Json], None]:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)

    def write(event: Json) -> None:
        writer.writerow([_cell(event.get(name)) for name in COLUMNS])

    return write


def _cell(value: Any) -> str:
    if isinstance(value, list):
        value = " ".join(map(str, value))
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
    database: FromDatabase = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell whether the trail is as it was written.

    Exit status 1: it was changed. Note the anchor that is printed where nobody who can
    write to the database can reach it: the next run with it finds a trail that was
    written anew.
    """
    noted, hint = [_anchor(text) for text in anchors or ()], ""
    if database:
        with told():
            registry = RegistrySettings.load()
        found = run(_verify_database(registry, noted))
        hint = _WITHOUT_KEY if registry.audit_key is None else ""
    else:
        with told():
            settings = caller()
        found = run(_verify_service(settings, noted))
    if as_json:
        print_json(_verdict(found))
    if isinstance(found, Broken):
        problem = f"Broken at event {found.seq}: {shown(found.problem)}.{hint}"
        fail(problem, status=EXIT_NO)
    if not as_json:
        say(f"Intact: {found.reached.seq} events.")
        say(f"anchor {found.reached}")


_WITHOUT_KEY = " Without AUDIT_KEY here: does token-service have one?"
_WAITING = "Following the chain"


async def _verify_database(
    settings: RegistrySettings, noted: list[Anchor]
) -> Intact | Broken:
    async with opened(settings) as store:
        with waiting(_WAITING):
            return await store.verify_audit(noted)


async def _verify_service(
    settings: CallerSettings, noted: list[Anchor]
) -> Intact | Broken:
    async with connected(settings) as service:
        with waiting(_WAITING) as progress:
            return await _follow(service, noted, progress)


async def _follow(
    service: ManagementClient, noted: list[Anchor], progress: Progress
) -> Intact | Broken:
    """Let the whole trail be followed, part by part."""
    after = BEGINNING
    while True:
        ahead = [str(anchor) for anchor in noted if anchor.seq >= after.seq]
        answer = await service.verify_audit(ahead, str(after))
        try:
            found = Verdict.model_validate(answer).to_found()
        except ValueError:
            raise UpstreamError(f"{SERVER} gives no verdict.") from None
        if isinstance(found, Broken) or not found.has_more:
            return found
        if found.reached.seq <= after.seq:
            raise UpstreamError(f"{SERVER} does not get on.")
        after = found.reached
        progress.reach(after.seq)


def _verdict(found: Intact | Broken) -> Json:
    if isinstance(found, Broken):
        return {"intact": False, "seq": found.seq, "problem": found.problem}
    return {
        "intact": True,
        "events": found.reached.seq,
        "anchor": str(found.reached),
    }


def _anchor(text: str) -> Anchor:
    try:
        return Anchor.read(text)
    except ValueError as error:
        fail(f"--anchor {error}.")
