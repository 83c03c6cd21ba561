"""A decision, rule by rule: what was asked, what would have been right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from orthanc_share.domain.access import (
    AccessPolicy,
    AccessRequest,
    Decision,
    Denied,
    Reason,
    decide,
)
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import CLOCK_LEEWAY, Share

MISMATCHES_MAX = 3
"""Resources of a share that are told where none is the one asked for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a decision.

    Args:
        name: What is looked at.
        refusal: The reason with which it denies; None: it holds.
        text: What was found, for a person; holds no token.
    """

    name: str
    refusal: Reason | None
    text: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all its rules, also those after the first that denies.

    Args:
        decision: What validate answers.
        rules: In the order in which they are looked at.
    """

    decision: Decision
    rules: tuple[Rule, ...]


def explain(
    share: Share, request: AccessRequest, policy: AccessPolicy, now: datetime
) -> Explanation:
    """Return the decision of `domain.access.decide`, with its rules."""
    return Explanation(
        decide(share, request, policy, now),
        (
            _opening(share),
            _end(share, now),
            _start(share, now),
            _server(share, request, policy),
            _method(request, policy),
            _level(request, policy),
            _resource(share, request),
        ),
    )


def denied(name: str, reason: Reason, text: str) -> Explanation:
    """Return the explanation of a denial for which no other rule matters."""
    return Explanation(Denied(reason), (Rule(name, reason, text),))


def _opening(share: Share) -> Rule:
    if share.view_id is not None:
        return Rule("kind", None, "a viewer token, of a link that was opened")
    if share.needs_opening:
        text = (
            "the link has a limit or a password: only the landing page opens it,"
            " and viewers get a token of their own there"
        )
        return Rule("kind", Reason.NEEDS_OPENING, text)
    return Rule("kind", None, "a link that opens by itself")


def _start(share: Share, now: datetime) -> Rule:
    start = share.not_before
    if start is None:
        return Rule("start", None, "it has none")
    leeway = int(CLOCK_LEEWAY.total_seconds())
    text = f"{_instant(start)}, now it is {_instant(now)} ({leeway} s of leeway)"
    is_early = now < start - CLOCK_LEEWAY
    return Rule("start", Reason.NOT_YET_VALID if is_early else None, text)


def _end(share: Share, now: datetime) -> Rule:
    end = share.expires_at
    if end is None:
        return Rule("end", None, "it has none")
    over = now >= end
    distance = _span(now - end) + " ago" if over else "in " + _span(end - now)
    text = f"{_instant(end)}, {distance}"
    return Rule("end", Reason.EXPIRED if over else None, text)


def _server(share: Share, request: AccessRequest, policy: AccessPolicy) -> Rule:
    if share.flavour not in policy.servers:
        text = f"this site has no Orthanc for {share.flavour} shares"
        return Rule("server", Reason.WRONG_SERVER, text)
    expected = policy.servers[share.flavour]
    if expected is None:
        return Rule("server", None, "any may ask: SERVER_IDENTIFIER is not set")
    asked = request.server_id
    if asked == expected:
        return Rule("server", None, f"{expected!r}, as for {share.flavour} shares")
    text = (
        f"{asked!r} asks, {share.flavour} shares are for {expected!r}: compare the"
        " plugin's WebServiceIdentifier"
    )
    return Rule("server", Reason.WRONG_SERVER, text)


def _method(request: AccessRequest, policy: AccessPolicy) -> Rule:
    allowed = ", ".join(sorted(policy.methods))
    if request.method in policy.methods:
        return Rule("method", None, f"{request.method!r} (allowed: {allowed})")
    text = f"{request.method!r} is not allowed; {allowed} are"
    return Rule("method", Reason.WRONG_METHOD, text)


def _level(request: AccessRequest, policy: AccessPolicy) -> Rule:
    allowed, asked = ", ".join(sorted(policy.levels)), str(request.level)
    if request.level in policy.levels:
        return Rule("level", None, f"{asked!r} (allowed: {allowed})")
    text = f"{asked!r} is never opened by a share; {allowed} are"
    if request.level == Level.PATIENT:
        text += " (ALLOW_PATIENT_LEVEL)"
    return Rule("level", Reason.WRONG_LEVEL, text)


def _resource(share: Share, request: AccessRequest) -> Rule:
    ids = request.dicom_uid, request.orthanc_id
    for resource in share.resources:
        if resource.matches(request.level, *ids):
            return Rule("resource", None, f"one of the share's {_named(resource)}")
    text = "; ".join(_mismatches(share, request))
    return Rule("resource", Reason.OTHER_RESOURCE, text)


def _mismatches(share: Share, request: AccessRequest) -> Iterator[str]:
    if not request.dicom_uid and not request.orthanc_id:
        yield "the question names no id"
        return
    for resource in share.resources[:MISMATCHES_MAX]:
        yield f"the share opens {_named(resource)}, {_difference(resource, request)}"
    if len(share.resources) > MISMATCHES_MAX:
        yield f"and {len(share.resources) - MISMATCHES_MAX} more, which differ too"


def _difference(resource: Resource, request: AccessRequest) -> str:
    uid, orthanc_id = request.dicom_uid, request.orthanc_id
    if resource.level != request.level:
        return f"but the {request.level} is asked for"
    if uid and resource.dicom_uid and uid != resource.dicom_uid:
        return "another UID is asked for"
    if orthanc_id and resource.orthanc_id and orthanc_id != resource.orthanc_id:
        return "another Orthanc id is asked for"
    return "and the question has only its other id"


def _named(resource: Resource) -> str:
    ids = [one for one in (resource.dicom_uid, resource.orthanc_id) if one]
    return f"{resource.level} {' = '.join(ids)}"


def _instant(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
