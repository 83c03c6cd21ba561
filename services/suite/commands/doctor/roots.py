"""Whether behind the public addresses is what should be there."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.upstream.probe import Answered, Silent, look
from suite.commands.doctor.addresses import public_roots
from suite.commands.doctor.findings import Finding, error, ok, warning
from suite.commands.doctor.network import clock_findings
from suite.commands.doctor.site import Site

_FROM_INSIDE = (
    "Mend the address or the proxy; if only this machine cannot reach it, try from"
    " outside."
)
_PROXY = "Its proxy cannot reach what is behind: see the proxy's log."
_PROBLEM = "application/problem+json"
_CODES = {"access_denied": True, "invalid_token": False}  # could it read the token?
_OUR_POLICY = "default-src 'none'"

Check = Callable[[Site, str, str], Awaitable[list[Finding]]]


async def root_findings(site: Site) -> list[Finding]:
    """Return what is to be said of each public address."""
    found: list[Finding] = []
    for name, root in public_roots(site.any_settings).items():
        found += await _CHECKS[name](site, name, root)
    return found


async def _landing(site: Site, name: str, root: str) -> list[Finding]:
    """Look for the page of an expired link: only our landing with our keys has it."""
    flavour = next(iter(site.any_settings.servers()))
    token = site.token(flavour, expired=True)
    answer, found = await _ask(site, name, f"{root}?token={token or ''}")
    if answer is not None:
        found.append(_landing_page(name, answer, has_token=token is not None))
    return found


def _landing_page(name: str, answer: Answered, *, has_token: bool) -> Finding:
    check, policy = "landing", answer.headers.get("content-security-policy", "")
    if _OUR_POLICY not in policy:
        text = f"{name}: what answers is not our landing page ({answer.status})."
        return error(check, text, "Let it lead to landing's /.")
    if not has_token:
        return ok(check, f"{name}: our landing page; its keys cannot be tried here.")
    if answer.status == HTTPStatus.GONE:
        return ok(check, f"{name}: our landing page, with the keys that are here.")
    text = f"{name}: our landing page refuses a link that was signed here."
    advice = "Its SECRET_KEY or VERIFICATION_KEYS differ from those here."
    return error(check, text, advice)


async def _anonymizer(site: Site, name: str, root: str) -> list[Finding]:
    """Ask with an expired token; the anonymizer says whether it could read it."""
    token = site.token(Flavour.ANONYMIZED, expired=True)
    url = f"{root}system?token={token or 'none'}"
    answer, found = await _ask(site, name, url)
    if answer is not None:
        found.append(_anonymizer_answer(name, answer, has_token=token is not None))
    return found


def _anonymizer_answer(name: str, answer: Answered, *, has_token: bool) -> Finding:
    check = "anonymizer"
    is_problem = answer.headers.get("content-type", "").startswith(_PROBLEM)
    can_read = _CODES.get(str(answer.member("code"))) if is_problem else None
    if can_read is None:
        text = f"{name}: what answers is not the anonymizer ({answer.status})."
        advice = "Let it lead to the anonymizer's /, never to an Orthanc."
        return error(check, text, advice)
    if not has_token:
        return ok(check, f"{name}: the anonymizer; its keys cannot be tried here.")
    if can_read:
        return ok(check, f"{name}: the anonymizer, with the keys that are here.")
    text = f"{name}: the anonymizer refuses a link that was signed here."
    advice = "Its keys or DEIDENTIFICATION_KEY differ from those here."
    return error(check, text, advice)


async def _orthanc(site: Site, name: str, root: str) -> list[Finding]:
    """Look for the program of the Stone viewer, which needs no token."""
    answer, found = await _ask(site, name, f"{root}stone-webviewer/index.html")
    if answer is None:
        return found
    if answer.status == HTTPStatus.OK:
        return [*found, ok("viewer", f"{name}: the Stone viewer is there.")]
    text = f"{name}: the Stone viewer is not there ({answer.status})."
    advice = "Install its plugin, or see which paths the proxy lets through."
    is_wanted = ShareType.STONE_PUBLICATION in site.any_settings.share_types
    return [*found, (error if is_wanted else warning)("viewer", text, advice)]


async def _page(site: Site, name: str, root: str) -> list[Finding]:
    answer, found = await _ask(site, name, root)
    if answer is None:
        return found
    if answer.status == HTTPStatus.OK:
        return [*found, ok("viewer", f"{name}: a page answers.")]
    text = f"{name}: there is no page ({answer.status})."
    return [*found, warning("viewer", text, _FROM_INSIDE)]


_CHECKS: Mapping[str, Check] = {
    "PUBLIC_LANDING_ROOT": _landing,
    "PUBLIC_ORTHANC_ROOT": _orthanc,
    "PUBLIC_ANONYMIZED_ORTHANC_ROOT": _anonymizer,
    "PUBLIC_OHIF_ROOT": _page,
    "PUBLIC_MEDDREAM_ROOT": _page,
}


async def _ask(
    site: Site, name: str, url: str
) -> tuple[Answered | None, list[Finding]]:
    """Return an answer that is worth a look, and what is to be said of any."""
    answer = await look(site.client, "GET", url, clock=site.clock)
    if isinstance(answer, Silent):
        return None, [error("public", f"{name}: {answer.to_text()}.", _FROM_INSIDE)]
    found = clock_findings(name, answer)
    refusal = _refusal(name, url, answer)
    return (answer, found) if refusal is None else (None, [*found, refusal])


def _refusal(name: str, url: str, answer: Answered) -> Finding | None:
    status, target = answer.status, answer.headers.get("location", "")
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}:
        return error("public", f"{name}: status {status}.", _PROXY)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        text = f"{name}: what is behind it is not ready (503)."
        return error("public", text, "See its /ready and its log.")
    scheme = target.partition("://")[0].lower()
    is_other = scheme in {"http", "https"} and not url.startswith(f"{scheme}://")
    if is_other and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        text = f"{name}: the server sends browsers on to {scheme}://."
        return error("public", text, "Write the setting so.")
    return None
