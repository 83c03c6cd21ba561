"""The decision: may this share be used for this request, on this server, now?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orthanc_share.domain.errors import ExpiredTokenError, NotYetValidTokenError
from orthanc_share.domain.resource import Level
from orthanc_share.domain.share import Flavour, Share

DECISION_VALIDITY = timedelta(seconds=60)
"""Longest time the plugin may keep a decision, sent as `validity` in whole seconds.

Source: Orthanc Book, plugins/authorization, field `validity`; the predecessors' value.
"""

READING_METHODS = frozenset({"get", "post"})
"""Methods that a share may use.

`post` is needed because the plugin asks so for every DICOMweb read (protocol 0.5,
trap 1); the reverse proxy keeps modifying POSTs away.
"""


class Reason(StrEnum):
    """Why access was denied: stable codes for log and metrics, never for clients."""

    NO_TOKEN = "no_token"  # noqa: S105 - a reason code
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a reason code
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    NEEDS_OPENING = "needs_opening"
    REGISTRY_UNAVAILABLE = "registry_unavailable"
    WRONG_SERVER = "wrong_server"
    WRONG_METHOD = "wrong_method"
    WRONG_LEVEL = "wrong_level"
    OTHER_RESOURCE = "other_resource"
    UNREADABLE_QUESTION = "unreadable_question"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One question of the plugin (protocol B.2), read but not yet judged.

    Args:
        method: Method of the client's request, lower case.
        level: Level that is checked.
        dicom_uid: DICOM id of the resource at that level; empty counts as absent.
        orthanc_id: Orthanc id of the resource at that level; empty counts as absent.
        server_id: `server-id` or `identifier` of the Orthanc that asks.
    """

    method: str
    level: str
    dicom_uid: str | None = None
    orthanc_id: str | None = None
    server_id: str | None = None


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What the site allows.

    Args:
        servers: The flavours in use, each with the identifier of its Orthanc; None
            where the site did not name one, then any server may ask.
        methods: Methods that a share may use, lower case.
        levels: Levels that a share may open.
        validity: Longest time for which a decision may be kept.
    """

    servers: Mapping[Flavour, str | None]
    methods: frozenset[str] = READING_METHODS
    levels: frozenset[str] = frozenset({Level.STUDY, Level.SERIES, Level.INSTANCE})
    validity: timedelta = DECISION_VALIDITY


@dataclass(frozen=True, slots=True)
class Granted:
    """Access is granted for `validity` seconds (1 or more)."""

    validity: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Access is denied; `reason` goes to the log, never to the client."""

    reason: Reason


Decision = Granted | Denied


def decide(
    share: Share, request: AccessRequest, policy: AccessPolicy, now: datetime
) -> Decision:
    """Return the decision on `request` with a share whose token was verified.

    The first rule that fails denies: kind of token, time, server, method, level, ids.
    Whether it was revoked is told before, by the registry.
    """
    if share.needs_opening and share.view_id is None:
        return Denied(Reason.NEEDS_OPENING)
    try:
        share.check_time(now)
    except ExpiredTokenError:
        return Denied(Reason.EXPIRED)
    except NotYetValidTokenError:
        return Denied(Reason.NOT_YET_VALID)
    reason = _refusal(share, request, policy)
    if reason is not None:
        return Denied(reason)
    validity = _validity(share, policy, now)
    return Granted(validity) if validity >= 1 else Denied(Reason.EXPIRED)


def _refusal(
    share: Share, request: AccessRequest, policy: AccessPolicy
) -> Reason | None:
    if share.flavour not in policy.servers:
        return Reason.WRONG_SERVER
    expected = policy.servers[share.flavour]
    if expected is not None and request.server_id != expected:
        return Reason.WRONG_SERVER
    if request.method not in policy.methods:
        return Reason.WRONG_METHOD
    if request.level not in policy.levels:
        return Reason.WRONG_LEVEL
    for resource in share.resources:
        if resource.matches(request.level, request.dicom_uid, request.orthanc_id):
            return None
    return Reason.OTHER_RESOURCE


def _validity(share: Share, policy: AccessPolicy, now: datetime) -> int:
    longest = policy.validity
    if share.expires_at is not None:
        longest = min(longest, share.expires_at - now)
    return int(longest.total_seconds())
