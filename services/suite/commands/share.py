"""`orthanc-share share`: links made, found, changed on a running token-service."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from orthanc_share.domain.resource import is_orthanc_id, is_uid
from orthanc_share.domain.share import ShareType
from orthanc_share.store.records import ShareStatus
from orthanc_share.store.selection import Direction, Order
from suite.commands import share_view
from suite.commands.caller import CallerSettings, caller, connected
from suite.commands.instants import end_of, instant
from suite.commands.output import (
    fail,
    print_json,
    print_json_line,
    say,
    tell,
    waiting,
)
from suite.commands.prompts import new_password
from suite.commands.revoke import revoke
from suite.commands.running import run, told
from suite.commands.share_ids import ANY_TEXT, share_id

LIST_LENGTH = 200
"""Shares of a table where nobody says how many."""

EVENTS = 50
"""Events that `show` shows where nobody says how many."""

share_cli = typer.Typer(
    help="Links: make, find, change and revoke them on a running token-service.",
    no_args_is_help=True,
)
share_cli.command("revoke", context_settings=ANY_TEXT)(revoke)

ForPrograms = Annotated[bool, typer.Option("--json", help="For programs.")]
Json = dict[str, Any]


@share_cli.command()
def create(
    studies: Annotated[
        list[str], typer.Argument(help="StudyInstanceUIDs or Orthanc ids of studies.")
    ],
    *,
    share_type: Annotated[
        ShareType, typer.Option("--type", help="How the link is opened.")
    ] = ShareType.STONE_PUBLICATION,
    anonymized: Annotated[
        bool, typer.Option("--anonymized", help="Show the images de-identified.")
    ] = False,
    expires: Annotated[
        str | None, typer.Option(help="When it ends: ISO 8601, or `never`.")
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", help="How long it works: 12h, 30d.")
    ] = None,
    not_before: Annotated[
        str | None, typer.Option(help="From when it works: ISO 8601.")
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="To find it by; name no patient in it.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Your own reference.")] = None,
    max_openings: Annotated[
        int | None, typer.Option(help="How often it may be opened.", min=1)
    ] = None,
    notify: Annotated[
        str | None, typer.Option(help="Address that is told of each opening.")
    ] = None,
    password: Annotated[
        bool,
        typer.Option(
            "--password", help="Ask for a password: at the terminal, or from stdin."
        ),
    ] = False,
    as_json: ForPrograms = False,
) -> None:
    """Make a link and print it."""
    start = None if not_before is None else instant(not_before, "--not-before")
    body: Json = {
        "studies": [_study(text) for text in studies],
        "type": share_type,
        "anonymized": anonymized,
        "not-before": start and start.isoformat(),
        "title": title,
        "id": label,
        "max-openings": max_openings,
        "notify": notify,
        **end_of(expires, lasting, "--expires"),
    }
    with told():
        settings = caller()
    if password:
        body["password"] = new_password()
    wanted = {name: value for name, value in body.items() if value is not None}
    _print_made(run(_create(settings, wanted)), as_json=as_json)


async def _create(settings: CallerSettings, body: Json) -> Json:
    async with connected(settings) as service:
        return await service.create(body)


def _study(text: str) -> Json:
    if is_orthanc_id(text):
        return {"orthanc-id": text}
    if not is_uid(text):
        fail("A study is a StudyInstanceUID or an Orthanc id.")
    return {"dicom-uid": text}


def _print_made(answer: Json, *, as_json: bool) -> None:
    request = answer.get("request")
    end = request.get("expiration-date") if isinstance(request, dict) else None
    link, token = answer.get("url"), answer.get("token")
    made = {"share-id": answer.get("share-id"), "url": link, "expires": end}
    if link is None:
        made["token"] = token  # the caller builds the link of it
    if as_json:
        print_json(made)
        return
    say(str(token if link is None else link))
    what = "the token" if link is None else "the link"
    tell(f"Share {made['share-id']}; {what} works until: {share_view.expiry(made)}.")


@share_cli.command("list")
def list_shares(
    *,
    status: Annotated[
        ShareStatus | None, typer.Option(help="Those that are this now.")
    ] = None,
    creator: Annotated[str | None, typer.Option(help="Those of this user.")] = None,
    study: Annotated[
        str | None, typer.Option(help="Those of this study, by either id.")
    ] = None,
    text: Annotated[
        str | None, typer.Option(help="Words of title, label, creator or id.")
    ] = None,
    sort: Annotated[Order, typer.Option(help="Sorted by.")] = Order.CREATED,
    order: Annotated[Direction, typer.Option(help="Latest or earliest first.")] = (
        Direction.DESCENDING
    ),
    limit: Annotated[
        int | None,
        typer.Option(
            help=f"Most shares; else {LIST_LENGTH} in a table, all with --json.", min=1
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: a share a line.")
    ] = False,
) -> None:
    """List shares."""
    given = {"status": status, "creator": creator, "study": study, "text": text}
    query = {name: str(value) for name, value in given.items() if value is not None}
    query |= {"sort": sort, "order": order}
    with told():
        settings = caller()
    if as_json:
        run(_print_lines(settings, query, limit))
        return
    shares, has_more = run(_first(settings, query, limit or LIST_LENGTH))
    share_view.print_shares(shares)
    if has_more:
        tell(f"These are the first {len(shares)}; --limit shows more, --json all.")


async def _print_lines(
    settings: CallerSettings, query: dict[str, str], limit: int | None
) -> None:
    async with connected(settings) as service:
        with waiting("Shares", with_data=True) as progress:
            async for share in service.shares(query):
                print_json_line(share)
                progress.step()
                if progress.count == limit:
                    return


async def _first(
    settings: CallerSettings, query: dict[str, str], limit: int
) -> tuple[list[Json], bool]:
    async with connected(settings) as service:
        with waiting("Reading shares"):
            return await _taken(service.shares(query), limit)


async def _taken(found: AsyncIterator[Json], limit: int) -> tuple[list[Json], bool]:
    """Return the first `limit` of what is found, and whether there is more."""
    taken: list[Json] = []
    async for one in found:
        if len(taken) == limit:
            return taken, True
        taken.append(one)
    return taken, False


@share_cli.command(context_settings=ANY_TEXT)
def show(
    share: Annotated[str, typer.Argument(help="Id of the share.")],
    *,
    events: Annotated[
        int, typer.Option(help="Most events that are shown.", min=0)
    ] = EVENTS,
    as_json: ForPrograms = False,
) -> None:
    """Show a share, and what happened to it."""
    wanted = share_id(share)
    with told():
        settings = caller()
    found, happened, has_more = run(_show(settings, wanted, events))
    if as_json:
        print_json({"share": found, "events": happened})
        return
    share_view.print_share(found)
    if happened:
        say("")
        share_view.print_events(happened)
    if has_more:
        tell(f"There are more than {events} events; --events shows more.")


async def _show(
    settings: CallerSettings, share: str, events: int
) -> tuple[Json, list[Json], bool]:
    async with connected(settings) as service:
        return await service.get(share), *await _taken(service.events(share), events)


@share_cli.command(context_settings=ANY_TEXT)
def extend(
    share: Annotated[str, typer.Argument(help="Id of the share.")],
    *,
    until: Annotated[
        str | None, typer.Option(help="The new end: ISO 8601, or `never`.")
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", help="How long from now on: 12h, 30d.")
    ] = None,
    as_json: ForPrograms = False,
) -> None:
    """Change when a share ends: later, or earlier."""
    wanted, end = share_id(share), end_of(until, lasting, "--until")
    if not end:
        fail("Say when it ends: --until or --for.")
    with told():
        settings = caller()
    changed = run(_extend(settings, wanted, end))
    if as_json:
        print_json(changed)
        return
    say(f"{wanted} ends: {share_view.expiry(changed)}.")


async def _extend(settings: CallerSettings, share: str, end: Json) -> Json:
    async with connected(settings) as service:
        return await service.change(share, end)
