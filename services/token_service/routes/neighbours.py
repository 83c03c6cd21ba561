"""What landing and the anonymizer ask, which have no database of their own."""

from dataclasses import dataclass

from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.registry.messages import write_news, write_outcome
from orthanc_share.registry.registry import Registry
from token_service.neighbour_schemas import (
    LookRequest,
    NewsQuery,
    OpenRequest,
    ReportAnswer,
    ReportRequest,
)
from token_service.reading import read_body_as, read_query_as


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Answers the other services.

    Args:
        registry: Knows the shares.
        clock: The present instant.
    """

    registry: Registry
    clock: Clock

    async def look(self, _scope: Scope, body: bytes) -> bytes:
        """Return what a link is good for."""
        asked = read_body_as(LookRequest, body)
        outcome = await self.registry.desk.look(
            asked.to_link(),
            view=asked.to_view(),
            opening=asked.to_opening(),
            origin=asked.to_visitor(),
        )
        return write_outcome(outcome)

    async def open(self, _scope: Scope, body: bytes) -> bytes:
        """Open a link and return what became of it."""
        asked = read_body_as(OpenRequest, body)
        outcome = await self.registry.desk.open(
            asked.to_link(),
            password=asked.to_password(),
            origin=asked.to_origin(),
            opening=asked.to_opening(),
        )
        return write_outcome(outcome)

    async def news(self, scope: Scope, _body: bytes) -> bytes:
        """Return what was revoked or changed."""
        query = read_query_as(NewsQuery, scope)
        return write_news(await self.registry.news_since(query.cursor))

    async def report(self, _scope: Scope, body: bytes) -> bytes:
        """Write down what was decided elsewhere."""
        report, now = read_body_as(ReportRequest, body), self.clock()
        tallies, views = report.to_tallies(now), report.to_views(now)
        await self.registry.store.openings.count(tallies, views)
        answer = ReportAnswer(tallies=len(tallies), views=len(views))
        return answer.model_dump_json(by_alias=True).encode()
