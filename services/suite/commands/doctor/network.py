"""Whether other servers answer, are what they should be, and agree on the time."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from anonymizer.settings import AnonymizerSettings
from orthanc_share.domain.errors import ConfigurationError, UpstreamError
from orthanc_share.domain.share import Flavour
from orthanc_share.upstream.meddream import MedDreamBroker
from orthanc_share.upstream.probe import Answered, Silent, look
from suite.commands.doctor.findings import Finding, error, ok, warning
from suite.commands.doctor.site import NO_STUDY, Site

SKEW_MAX = timedelta(seconds=30)
"""How far two clocks may differ before it is an error."""

_SERVICE = "token-service"
_NOT_HERE = "Mend the address, start the server, or see which network it is in."


async def plugin_findings(site: Site) -> list[Finding]:
    """Return what is to be said of token-service, at the address of the plugin."""
    url = site.plugin_url
    if url is None:
        text = "Nobody said at which address the plugin asks token-service."
        advice = "Say --plugin-url (its WebServiceRootUrl), or set ORTHANC_SHARE_URL."
        return [warning(_SERVICE, text, advice)]
    alive = await look(site.client, "GET", f"{url}health", clock=site.clock)
    if isinstance(alive, Silent):
        return [error(_SERVICE, f"{url}: {alive.to_text()}.", _NOT_HERE)]
    found = clock_findings(url, alive)
    if alive.status != HTTPStatus.OK or alive.member("status") != "ok":
        text = f"{url}health is not answered by token-service ({alive.status})."
        advice = "Mend WebServiceRootUrl, or --plugin-url."
        return [*found, error(_SERVICE, text, advice)]
    found.append(ok(_SERVICE, f"{url} answers."))
    return [*found, *await _ready(site, url), *await _decisions(site, url)]


async def _ready(site: Site, url: str) -> list[Finding]:
    ready = await look(site.client, "GET", f"{url}ready", clock=site.clock)
    states = ready.member("dependencies") if isinstance(ready, Answered) else None
    if not isinstance(states, Mapping):
        return [error(_SERVICE, f"{url}ready does not answer.", _NOT_HERE)]
    lost = [name for name, state in states.items() if state != "ok"]
    text = "Token-service cannot reach what it needs: {}."
    return [error(_SERVICE, text.format(name), "See its log.") for name in lost]


async def _decisions(site: Site, url: str) -> list[Finding]:
    """Ask for a study that does not exist, with tokens that are made here."""
    found = []
    for flavour, server in site.any_settings.servers().items():
        token = site.token(flavour)
        if token is None:
            continue  # told with the keys
        question = {
            "token-key": "token",
            "token-value": token,
            "method": "get",
            "level": NO_STUDY.level,
            "dicom-uid": NO_STUDY.dicom_uid,
            "orthanc-id": NO_STUDY.orthanc_id,
            "server-id": server,
        }
        answer = await look(
            site.client,
            "POST",
            f"{url}tokens/validate",
            clock=site.clock,
            auth=site.login,
            body=question,
        )
        found.append(_decision(site, flavour, answer))
    return found


def _decision(site: Site, flavour: Flavour, answer: Answered | Silent) -> Finding:
    if isinstance(answer, Silent):
        return error(
            _SERVICE, f"It does not decide: {answer.to_text()}.", "See its log."
        )
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return _login_refused(site)
    granted = answer.member("granted")
    if granted is True:
        text = f"It grants a token that was made here ({flavour}): keys, servers fit."
        return ok(_SERVICE, text)
    if granted is False:
        text = f"It denies a token that was made here ({flavour})."
        advice = "Its keys, SERVER_IDENTIFIERs or clock differ from those here."
        return error(_SERVICE, text, advice)
    text = f"It does not decide: status {answer.status}."
    return error(_SERVICE, text, "Is this really the address of token-service?")


def _login_refused(site: Site) -> Finding:
    if site.login is None:
        text = "It wants a login, as it should; what it decides was not tried."
        advice = "Set ORTHANC_SHARE_USER and ORTHANC_SHARE_PASSWORD to try."
        return warning(_SERVICE, text, advice)
    text = f"It does not accept the user {site.login[0]}."
    return error(_SERVICE, text, "Compare USERS with the plugin's login.")


async def orthanc_findings(site: Site) -> list[Finding]:
    """Return what is to be said of the Orthanc behind the anonymizer."""
    settings = site.settings.get("anonymizer")
    if not isinstance(settings, AnonymizerSettings) or settings.orthanc_root is None:
        return []
    root, login = settings.orthanc_root, settings.credentials()
    answer = await look(
        site.client, "GET", f"{root}system", clock=site.clock, auth=login
    )
    if isinstance(answer, Silent):
        return [error("orthanc", f"ORTHANC_ROOT: {answer.to_text()}.", _NOT_HERE)]
    may_be_refused = settings.orthanc_pass_token
    found = [
        *clock_findings("ORTHANC_ROOT", answer),
        _orthanc(answer, may_be_refused=may_be_refused),
    ]
    plugins = await look(
        site.client, "GET", f"{root}plugins", clock=site.clock, auth=login
    )
    names = plugins.json() if isinstance(plugins, Answered) else None
    if isinstance(names, list) and "dicom-web" not in names:
        text = "ORTHANC_ROOT: Orthanc has no DICOMweb plugin."
        advice = "Install it: the anonymizer reads by DICOMweb."
        found.append(error("orthanc", text, advice))
    return found


def _orthanc(answer: Answered, *, may_be_refused: bool) -> Finding:
    if isinstance(answer.member("Version"), str):
        return ok("orthanc", "ORTHANC_ROOT: an Orthanc answers.")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        if may_be_refused:
            return ok("orthanc", "ORTHANC_ROOT: it wants a token, as it should.")
        text = f"ORTHANC_ROOT: the login is refused (status {answer.status})."
        advice = "Compare ORTHANC_USERNAME and ORTHANC_PASSWORD with RegisteredUsers."
        return error("orthanc", text, advice)
    text = f"ORTHANC_ROOT: what answers is no Orthanc (status {answer.status})."
    return error("orthanc", text, "Mend the address: /system follows it.")


async def meddream_findings(site: Site) -> list[Finding]:
    """Return whether MedDream's token service takes connections; nothing is asked."""
    url, name = site.any_settings.meddream_token_service_url, "meddream"
    if url is None:
        return []
    try:
        await MedDreamBroker(site.client, url).ping()
    except ConfigurationError as problem:
        return [error(name, str(problem), "Mend the address.")]
    except UpstreamError as problem:
        text = f"MEDDREAM_TOKEN_SERVICE_URL: {problem}"
        return [error(name, text, _NOT_HERE)]
    return [ok(name, "MEDDREAM_TOKEN_SERVICE_URL: it takes connections.")]


def clock_findings(name: str, answer: Answered) -> list[Finding]:
    """Return whether the clock of a server agrees with the one here.

    Args:
        name: The address, or its variable.
        answer: Any answer.
    """
    ahead = answer.ahead
    if ahead is None or abs(ahead) <= SKEW_MAX:
        return []
    way = "ahead of" if ahead > timedelta(0) else "behind"
    seconds = int(abs(ahead).total_seconds())
    text = f"{name}: its clock is {seconds} s {way} the one here."
    return [error("clock", text, "Set both by NTP: tokens go by the time.")]
