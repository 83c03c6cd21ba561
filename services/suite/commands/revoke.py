"""`orthanc-share share revoke`: links taken back, one or many."""

from typing import Annotated, Any

import typer

from orthanc_share.store.records import ShareStatus
from orthanc_share.upstream.management import ManagementClient, ServiceRefusedError
from suite.commands.caller import CallerSettings, caller, connected
from suite.commands.instants import instant
from suite.commands.output import EXIT_NO, fail, print_json, say, waiting
from suite.commands.prompts import confirm
from suite.commands.running import run, told
from suite.commands.share_ids import share_ids

MANY = 2
"""Shares from which on the person is asked."""


def revoke(
    shares: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of shares; - reads them from standard input."),
    ] = None,
    *,
    study: Annotated[
        str | None, typer.Option(help="All of this study, by either id.")
    ] = None,
    creator: Annotated[str | None, typer.Option(help="All of this user.")] = None,
    created_before: Annotated[
        str | None, typer.Option(help="All made before this instant, ISO 8601.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the record.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell how many.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Take shares back: by id, or all for which every option given is true."""
    before = (
        None if created_before is None else instant(created_before, "--created-before")
    )
    given = {
        "study": study,
        "creator": creator,
        "created-before": before and before.isoformat(),
    }
    selection = {name: value for name, value in given.items() if value}
    ids = share_ids(shares or [])
    if bool(shares) == bool(selection):
        fail("Say which: ids, or --study, --creator, --created-before, not both.")
    with told():
        settings = caller()
    if shares:
        number, missing = _revoke_ids(settings, ids, reason, dry_run=dry_run, yes=yes)
    else:
        missing = 0
        number = _revoke_selected(settings, selection, reason, dry_run=dry_run, yes=yes)
    _report(number, dry_run=dry_run, as_json=as_json)
    if missing:
        raise typer.Exit(EXIT_NO)


def _report(number: int, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"revoked": number, "dry-run": dry_run})
        return
    say(f"{_shares(number)} would be revoked." if dry_run else f"Revoked: {number}.")


def _revoke_ids(
    settings: CallerSettings,
    ids: list[str],
    reason: str | None,
    *,
    dry_run: bool,
    yes: bool,
) -> tuple[int, int]:
    """Revoke shares, or only look; return how many, and how many are not there."""
    confirm(f"Revoke {_shares(len(ids))}?", yes=yes or dry_run or len(ids) < MANY)
    return run(_each(settings, ids, reason, dry_run=dry_run))


async def _each(
    settings: CallerSettings, ids: list[str], reason: str | None, *, dry_run: bool
) -> tuple[int, int]:
    done = missing = 0
    what = "Looking at shares" if dry_run else "Revoking shares"
    async with connected(settings) as service:
        with waiting(what) as progress:
            for one in ids:
                try:
                    done += await _one(service, one, reason, dry_run=dry_run)
                except ServiceRefusedError as error:
                    if not error.is_final:
                        raise
                    progress.tell(f"{one}: {error}")
                    missing += 1
                progress.step()
    return done, missing


async def _one(
    service: ManagementClient, share: str, reason: str | None, *, dry_run: bool
) -> bool:
    if dry_run:
        found = await service.get(share)
        return found.get("status") != ShareStatus.REVOKED
    await service.revoke(share, reason)
    return True


def _revoke_selected(
    settings: CallerSettings,
    selection: dict[str, Any],
    reason: str | None,
    *,
    dry_run: bool,
    yes: bool,
) -> int:
    number = run(_many(settings, selection | {"dry-run": True}))
    if dry_run or not number:
        return number
    confirm(f"Revoke {_shares(number)}?", yes=yes or number < MANY)
    because = {} if reason is None else {"reason": reason}
    return run(_many(settings, selection | because))


async def _many(settings: CallerSettings, body: dict[str, Any]) -> int:
    what = "Counting shares" if body.get("dry-run") else "Revoking shares"
    async with connected(settings) as service:
        with waiting(what):
            return await service.revoke_many(body)


def _shares(number: int) -> str:
    return "1 share" if number == 1 else f"{number} shares"
