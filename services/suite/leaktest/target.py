"""The whole test of one share: what identifies, from Orthanc, in all that is shown."""

import http.client
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from suite.leaktest.collect import collected, identities
from suite.leaktest.crawl import Outcome, crawl
from suite.leaktest.odd import foreign_requests, odd_requests
from suite.leaktest.requests import Ask, every_accept, narrow, requests, sensitive_bulk
from suite.leaktest.routes import ROUTES
from suite.leaktest.scan import Scanner
from suite.leaktest.transport import Site
from suite.leaktest.world import UnexpectedAnswerError, World, explore

_CONTROL = "/dicom-web/studies/{study}/metadata"
_ORTHANC = "Orthanc"
_ANONYMIZER = "the anonymizer"


class NoTestError(Exception):
    """The test would prove nothing. The text says why."""


@dataclass(frozen=True)
class Target:
    """What is tested.

    Args:
        share: The anonymizer, asked with the token of a share.
        orthanc: The Orthanc behind it, asked directly.
        studies: StudyInstanceUIDs that are shared, as Orthanc has them.
        exceptions: Tags that the site's profile keeps.
    """

    share: Site
    orthanc: Site
    studies: Sequence[str]
    exceptions: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """What a test has found.

    Args:
        values: Number of values that were looked for.
        scanner: Looks for them.
        outcome: What came out.
    """

    values: int
    scanner: Scanner
    outcome: Outcome


def address(text: str) -> str:
    """Return the address of a site.

    Raises:
        NoTestError: It is none.
    """
    if not _is_address(text):
        raise NoTestError(
            "an address is http:// or https://, a host and perhaps a path; logins and"
            " tokens are given otherwise."
        )
    return text


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    has_more = parts.query or parts.fragment or "@" in parts.netloc
    return parts.scheme in {"http", "https"} and has_host and not has_more


def run(target: Target) -> Result:
    """Collect what identifies from Orthanc, and look for it in all answers.

    Raises:
        NoTestError: Orthanc or the anonymizer does not show the studies, or the
            search does not find in Orthanc what must be there.
    """
    raw = _explored(target.orthanc, _ORTHANC, target.studies)
    shown = _explored(target.share, _ANONYMIZER)
    needles = collected(raw, target.exceptions)
    scanner = Scanner(needles, identities(raw, needles))
    _check(target.orthanc, raw, shown, scanner)
    asks = [*_asks(raw, shown)]
    try:
        outcome = crawl(target.share, asks, scanner)
    except (OSError, http.client.HTTPException) as error:
        raise _silent(_ANONYMIZER, error) from error
    if _CONTROL not in outcome.answered:
        raise NoTestError(f"{_ANONYMIZER}: it showed nothing while it was asked.")
    return Result(len(needles), scanner, outcome)


def _explored(site: Site, name: str, studies: Sequence[str] | None = None) -> World:
    try:
        return explore(site, studies)
    except UnexpectedAnswerError as error:
        raise NoTestError(f"{name}: {error}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _silent(name, error) from error


def _silent(name: str, error: Exception) -> NoTestError:
    if isinstance(error, OSError):
        return NoTestError(f"{name}: no answer ({error.strerror or error}).")
    return NoTestError(f"{name}: what answers does not speak HTTP.")


def _check(orthanc: Site, raw: World, shown: World, scanner: Scanner) -> None:
    """Look for the same values where they must be found (positive control)."""
    if not any(True for _ in raw.instances):
        raise NoTestError("Orthanc has no image of these studies.")
    if not any(True for _ in shown.instances):
        raise NoTestError("The share shows no image.")
    routes = [route for route in ROUTES if route.template == _CONTROL]
    if not crawl(orthanc, requests(raw, routes), scanner).leaks:
        raise NoTestError("The search finds nothing even in Orthanc's own answers.")


def _asks(raw: World, shown: World) -> Iterator[Ask]:
    yield from requests(shown)
    yield from every_accept(narrow(shown))
    yield from sensitive_bulk(narrow(shown))
    yield from odd_requests(shown)
    yield from foreign_requests(raw)
