"""`/audit`: the trail of events, read and followed."""

import asyncio
import logging
from dataclasses import dataclass, field

from starlette.types import Scope

from orthanc_share.registry.registry import Registry
from orthanc_share.store.selection import Direction
from orthanc_share.store.verifying import ANOTHER, GONE, Broken
from orthanc_share.web.plain import CALLER
from token_service.audit_wire import (
    STEP_MAX,
    AuditQuery,
    Verdict,
    VerificationRequest,
)
from token_service.reading import read_body_as, read_query_as
from token_service.registry_schemas import EventsPage

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AuditTrails:
    """Answers questions on what happened.

    Args:
        registry: Where events are kept.
    """

    registry: Registry
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def events(self, scope: Scope, _body: bytes) -> bytes:
        """Return a page of events, earliest first."""
        query = read_query_as(AuditQuery, scope)
        page = await self.registry.store.audit.page(
            query.to_filter(),
            limit=query.limit,
            cursor=query.cursor,
            order=Direction.ASCENDING,
        )
        return EventsPage.of(page).model_dump_json(by_alias=True).encode()

    async def verify(self, scope: Scope, body: bytes) -> bytes:
        """Follow a part of the trail and return whether it is as it was written."""
        asked = read_body_as(VerificationRequest, body or b"{}")
        # One after the other: each takes a processor for a while.
        async with self._one:
            found = await self.registry.store.verify_audit(
                asked.anchors, after=asked.after, limit=STEP_MAX
            )
        if isinstance(found, Broken):
            extra = {
                "event": found.seq,
                "detail": found.problem,
                "caller": scope[CALLER],
            }
            # Whoever makes up what was noted shall raise no alarm.
            is_doubtful = found.problem in {ANOTHER, GONE}
            level = logging.WARNING if is_doubtful else logging.ERROR
            _log.log(level, "audit trail broken", extra=extra)
        return Verdict.of(found).model_dump_json(by_alias=True).encode()
