"""`orthanc-share doctor`: all that is looked at, and how it is shown."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from orthanc_share.config.settings import AskingSettings, SharingSettings
from orthanc_share.config.values import Root
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.upstream.client import create_client
from suite.app import SETTINGS
from suite.checks import Report, report
from suite.commands.caller import CallerSettings
from suite.commands.doctor.addresses import address_findings, public_roots
from suite.commands.doctor.disk import database_findings, mounted
from suite.commands.doctor.findings import Finding, Grade
from suite.commands.doctor.local import (
    key_findings,
    settings_findings,
    user_findings,
)
from suite.commands.doctor.network import (
    meddream_findings,
    orthanc_findings,
    plugin_findings,
)
from suite.commands.doctor.roots import root_findings
from suite.commands.doctor.site import Site
from suite.commands.output import (
    EXIT_NO,
    fail,
    print_json,
    print_table,
    say,
    shown,
    waiting,
)
from suite.commands.running import run, told
from token_service.settings import TokenServiceSettings

_ROOT = TypeAdapter[str](Root)


def doctor(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SERVICE]...",
            help=f"{', '.join(SETTINGS)}; all, if none is named.",
        ),
    ] = None,
    *,
    plugin_url: Annotated[
        str | None,
        typer.Option(help="WebServiceRootUrl of the plugin; else ORTHANC_SHARE_URL."),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no other server.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Examine a site, from where a service runs, and say what to change.

    Looks at the settings of this process as the services named would take them, at
    the database and at all addresses. Nothing is changed. Exit status 1: something
    does not work.
    """
    unknown = set(services or ()) - set(SETTINGS)
    if unknown:
        fail(f"There is no service {shown(min(unknown))}: {', '.join(SETTINGS)}.")
    names = services or list(SETTINGS)
    with told():
        caller = CallerSettings.load()
    examined = {name: SETTINGS[name].examine()[0] for name in names}
    url = None if plugin_url is None else _root(plugin_url)
    found = run(_examined(examined, caller, url, utc_now, offline=offline))
    whole = report()
    chosen = Report({name: whole.services[name] for name in names})
    _print([*settings_findings(chosen), *found], as_json=as_json)
    if any(finding.grade is Grade.ERROR for finding in found) or chosen.has_problems:
        raise typer.Exit(EXIT_NO)


def _root(text: str) -> str:
    try:
        return _ROOT.validate_python(text)
    except ValidationError:
        fail("--plugin-url should be an address that starts with http:// or https://.")


async def _examined(
    settings: Mapping[str, SharingSettings],
    caller: CallerSettings,
    plugin_url: str | None,
    clock: Clock,
    *,
    offline: bool,
) -> list[Finding]:
    async with create_client(tls=caller.tls()) as client:
        url, login = _address(settings, caller, plugin_url)
        site = Site(settings, client, clock, url, login)
        found = [*_local(site)]
        for one in settings.values():
            if isinstance(one, TokenServiceSettings) and one.registry:
                found += await database_findings(one, mounted())
        return found if offline else [*found, *await _network(site)]


def _address(
    settings: Mapping[str, SharingSettings],
    caller: CallerSettings,
    plugin_url: str | None,
) -> tuple[str | None, tuple[str, str] | None]:
    """Return where token-service is, and a login that was given for this address."""
    if plugin_url is None and "orthanc_share_url" in caller.model_fields_set:
        plugin_url = caller.orthanc_share_url
    if plugin_url is not None:
        has_password = caller.orthanc_share_password is not None
        return plugin_url, caller.login() if has_password else None
    for one in settings.values():
        if isinstance(one, AskingSettings) and one.token_service_url is not None:
            return one.token_service_url, one.token_service_login()
    return None, None


def _local(site: Site) -> list[Finding]:
    found = [*key_findings(site), *address_findings(public_roots(site.any_settings))]
    for one in site.settings.values():
        found += user_findings(one)
    return found


async def _network(site: Site) -> list[Finding]:
    with waiting("Asking the servers of this site"):
        groups = await asyncio.gather(
            plugin_findings(site),
            orthanc_findings(site),
            meddream_findings(site),
            root_findings(site),
        )
    return [finding for group in groups for finding in group]


def _print(found: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        print_json({"findings": [finding.to_json() for finding in found]})
        return
    rows = [
        (one.grade, one.check, shown(f"{one.text} {one.advice}".strip()))
        for one in found
    ]
    print_table(("", "check", "found"), rows)
    counts = {grade: sum(one.grade is grade for one in found) for grade in Grade}
    say(f"{counts[Grade.ERROR]} errors, {counts[Grade.WARNING]} warnings.")
