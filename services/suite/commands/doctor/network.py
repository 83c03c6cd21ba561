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
_ORTHANC = "orthanc"
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NO_STUDIES = f"dicom-web/studies?StudyInstanceUID={NO_STUDY.dicom_uid}"
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
    may_be_refused = settings.orthanc_pass_token
    system = await look(
        site.client, "GET", f"{root}system", clock=site.clock, auth=login
    )
    if isinstance(system, Silent):
        return [error(_ORTHANC, f"ORTHANC_ROOT: {system.to_text()}.", _NOT_HERE)]
    found = [
        *clock_findings("ORTHANC_ROOT", system),
        _orthanc(system, may_be_refused=may_be_refused),
    ]
    if not _is_orthanc(system):
        return found
    # That the plugin is there does not say that it is enabled, where, and for whom.
    studies = await look(
        site.client, "GET", f"{root}{_NO_STUDIES}", clock=site.clock, auth=login
    )
    return [*found, _dicomweb(studies, may_be_refused=may_be_refused)]


def _is_orthanc(answer: Answered) -> bool:
    return isinstance(answer.member("Version"), str)


def _orthanc(answer: Answered, *, may_be_refused: bool) -> Finding:
    if _is_orthanc(answer):
        return ok(_ORTHANC, "ORTHANC_ROOT: an Orthanc answers.")
    if answer.status in _REFUSED:
        return _refused(answer, may_be_refused=may_be_refused)
    text = f"ORTHANC_ROOT: what answers is no Orthanc (status {answer.status})."
    return error(_ORTHANC, text, "Mend the address: /system follows it.")


def _dicomweb(answer: Answered | Silent, *, may_be_refused: bool) -> Finding:
    if isinstance(answer, Silent):
        text = f"ORTHANC_ROOT: no answer by DICOMweb: {answer.to_text()}."
        return error(_ORTHANC, text, "See Orthanc's log.")
    if answer.status in _REFUSED:
        return _refused(answer, may_be_refused=may_be_refused)
    if answer.status == HTTPStatus.OK and isinstance(answer.json(), list):
        return ok(_ORTHANC, "ORTHANC_ROOT: DICOMweb answers.")
    text = f"ORTHANC_ROOT: no DICOMweb below /dicom-web/ (status {answer.status})."
    advice = "Install the plugin and enable it there: the anonymizer reads by it."
    return error(_ORTHANC, text, advice)


def _refused(answer: Answered, *, may_be_refused: bool) -> Finding:
    if may_be_refused:
        return ok(_ORTHANC, "ORTHANC_ROOT: it wants a token, as it should.")
    text = f"ORTHANC_ROOT: it refuses the anonymizer (status {answer.status})."
    advice = (
        "Compare ORTHANC_USERNAME and ORTHANC_PASSWORD with RegisteredUsers; if its"
        " authorization plugin wants a token, set ORTHANC_PASS_TOKEN=true."
    )
    return error(_ORTHANC, text, advice)


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
