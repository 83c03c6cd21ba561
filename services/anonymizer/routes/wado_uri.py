"""WADO-URI (PS3.18 9): one instance by its UIDs in the query."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from anonymizer.context import ShareContext
from anonymizer.entries import InstanceEntry, Snapshot
from anonymizer.negotiation import (
    DICOM,
    JPEG,
    PNG,
    NotAcceptableError,
    checked_syntax,
)
from anonymizer.pictures import Rendering, rendered
from anonymizer.route import RouteSpec
from anonymizer.routes.retrieving import check_syntax, single
from anonymizer.streaming import streamed, whole
from orthanc_share.web.problems import RequestError

_KINDS: Final = (JPEG, PNG)
_DIGITS_MAX: Final = 7  # of the number of a frame


class UnreadableWadoError(RequestError):
    """A request that is not understood; nothing of it is repeated."""

    code = "unreadable_query"

    def __init__(self) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, "The query is not understood.")


async def wado(context: ShareContext, request: Request) -> Response:
    """Answer with an instance: as a picture, or as its file if that was asked for."""
    query = request.query_params
    if query.get("requestType", "").upper() != "WADO":
        raise UnreadableWadoError
    kinds = _content_types(query)
    entry = await context.index.find(lambda snapshot: _found(snapshot, query))
    if DICOM in kinds:
        syntax = query.get("transferSyntax") or None
        syntax = None if syntax is None else checked_syntax(syntax)
        check_syntax(syntax)
        return await streamed(single(context, entry, syntax), DICOM, context.metrics)
    kind = next((one for one in kinds if one in _KINDS), None)
    if kind is None:
        raise NotAcceptableError
    body = await rendered(context, entry, kind, _rendering(query), _frame(query))
    return whole(body, kind, context.metrics)


def _content_types(query: QueryParams) -> Sequence[str]:
    """Return the media types that are accepted, best first; a picture by default."""
    given = query.get("contentType", "").split(",")
    kinds = [one.partition(";")[0].strip().lower() for one in given]
    return [JPEG if one in {"", "*/*", "image/*"} else one for one in kinds]


def _found(snapshot: Snapshot, query: QueryParams) -> InstanceEntry | None:
    uid = query.get("objectUID", "")
    return next(
        (one for one in snapshot.instances_of_uid(uid) if _is_its(one, query)), None
    )


def _is_its(one: InstanceEntry, query: QueryParams) -> bool:
    """Tell whether the UIDs above an instance are right; they need not be given."""
    names = {"studyUID": one.series.study.uid, "seriesUID": one.series.uid}
    return all(query.get(name, uid) in {uid, ""} for name, uid in names.items())


def _rendering(query: QueryParams) -> Rendering:
    columns, rows = query.get("columns", ""), query.get("rows", "")
    center, width = query.get("windowCenter", ""), query.get("windowWidth", "")
    # The picture keeps its shape, so that one side alone is enough.
    viewport = f"{columns or rows},{rows or columns}" if columns or rows else ""
    window = f"{center},{width}" if center or width else ""
    return Rendering.read(viewport, window, query.get("imageQuality", ""))


def _frame(query: QueryParams) -> int:
    text = query.get("frameNumber") or query.get("frame") or "1"
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX):
        raise UnreadableWadoError
    return max(1, int(text))


ROUTES = (RouteSpec(("GET",), "/wado", wado),)
"""The routes of this module."""
