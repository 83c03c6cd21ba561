"""`/shares` for those who made them: listed, shown, changed and taken back."""

import logging
from dataclasses import dataclass

from pydantic import BaseModel
from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.registry.changing import ShareChanger
from orthanc_share.registry.registry import Registry
from orthanc_share.store.audit import EventFilter
from orthanc_share.store.errors import ShareNotFoundError
from orthanc_share.store.records import StoredShare
from orthanc_share.store.selection import Direction
from orthanc_share.web.plain import CALLER
from orthanc_share.web.problems import InvalidMembersError
from token_service.origins import Origins
from token_service.reading import QUERY, read_body_as, read_query_as
from token_service.registry_requests import (
    ChangeRequest,
    EventsQuery,
    ReasonQuery,
    RevocationRequest,
    SelectionRequest,
    SharesQuery,
)
from token_service.registry_schemas import (
    EventsPage,
    ManagedShare,
    RevokedCount,
    SharesPage,
)

SHARE = "share"
"""Name of the id in the paths of a share."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ManagedShares:
    """Answers questions on shares that are kept.

    Args:
        registry: Where they are kept.
        changer: Changes them.
        origins: Tells who calls, and from where.
        clock: The present instant.
    """

    registry: Registry
    changer: ShareChanger
    origins: Origins
    clock: Clock

    async def list(self, scope: Scope, _body: bytes) -> bytes:
        """Return a page of shares."""
        query = read_query_as(SharesQuery, scope)
        now = self.clock()
        page = await self.registry.store.list_shares(
            query.to_filter(),
            now=now,
            order=query.sort,
            descending=query.order is Direction.DESCENDING,
            limit=query.limit,
            cursor=query.cursor,
        )
        return _json(SharesPage.of(page, now))

    async def show(self, scope: Scope, _body: bytes) -> bytes:
        """Return one share."""
        return self._shown(await self.registry.store.shares.get(share_id(scope)))

    async def events(self, scope: Scope, _body: bytes) -> bytes:
        """Return a page of what happened to a share; it may have been swept."""
        query = read_query_as(EventsQuery, scope)
        wanted = EventFilter(share_id=share_id(scope))
        page = await self.registry.store.audit.page(
            wanted, limit=query.limit, cursor=query.cursor
        )
        if not page.events and query.cursor is None:
            raise ShareNotFoundError  # the making of a share is an event
        return _json(EventsPage.of(page))

    async def change(self, scope: Scope, body: bytes) -> bytes:
        """Change a share and return it."""
        wishes = read_body_as(ChangeRequest, body).to_wishes()
        origin = self.origins.of(scope)
        changed = await self.changer.change(share_id(scope), wishes, origin)
        self._note("share changed", changed, scope)
        return self._shown(changed)

    async def revoke(self, scope: Scope, body: bytes) -> bytes:
        """Take a share back and return it; the reason is in the query or the body."""
        reason = _reason(scope, body)
        revoked = await self.registry.store.revoker.revoke(
            share_id(scope),
            now=self.clock(),
            origin=self.origins.of(scope),
            reason=reason,
        )
        self._note("share revoked", revoked, scope)
        return self._shown(revoked)

    async def revoke_many(self, scope: Scope, body: bytes) -> bytes:
        """Take shares back and return how many."""
        request = read_body_as(SelectionRequest, body)
        number = await self.registry.store.revoker.revoke_many(
            request.to_selection(),
            now=self.clock(),
            origin=self.origins.of(scope),
            reason=request.reason,
            dry_run=request.dry_run,
        )
        extra = {"shares": number, "dry_run": request.dry_run, "caller": scope[CALLER]}
        _log.info("shares revoked", extra=extra)
        return _json(RevokedCount(revoked=number, dry_run=request.dry_run))

    def _shown(self, stored: StoredShare) -> bytes:
        return _json(ManagedShare.of(stored, self.clock()))

    def _note(self, message: str, stored: StoredShare, scope: Scope) -> None:
        _log.info(message, extra={"share": stored.share.id, "caller": scope[CALLER]})


def share_id(scope: Scope) -> str:
    """Return the id in the path."""
    text: str = scope["path_params"][SHARE]
    return text


def _reason(scope: Scope, body: bytes) -> str | None:
    in_query = read_query_as(ReasonQuery, scope).reason
    in_body = read_body_as(RevocationRequest, body).reason if body else None
    if in_query is not None and in_body is not None:
        twice = "is in the body too: give it once"
        raise InvalidMembersError([{"loc": (QUERY, "reason"), "msg": twice}])
    return in_query if in_body is None else in_body


def _json(answer: BaseModel) -> bytes:
    return answer.model_dump_json(by_alias=True).encode()
