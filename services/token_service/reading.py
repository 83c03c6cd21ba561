"""Bodies and queries as models; whatever is wrong with them is told by member."""

from typing import Any, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.types import Scope

from orthanc_share.web.json_body import UnreadableBodyError, parse_json
from orthanc_share.web.problems import InvalidMembersError

MEMBERS_MAX = 32
"""Most members of a query; no route knows more."""

QUERY = "query"
"""Where a wrong member of a query is, in a problem body."""

M = TypeVar("M", bound=BaseModel)


class UnreadableQueryError(UnreadableBodyError):
    """The query is not UTF-8, or has far too many members."""

    code = "unreadable_query"


def read_body_as(model: type[M], body: bytes) -> M:
    """Return the JSON in `body` as a model.

    Raises:
        UnreadableBodyError: It is not JSON.
        InvalidMembersError: A member is wrong.
    """
    return _validated(model, parse_json(body))


def read_query_as(model: type[M], scope: Scope) -> M:
    """Return the query of a request as a model.

    Raises:
        UnreadableQueryError: It is not UTF-8, or has far too many members.
        InvalidMembersError: A member is wrong, or there twice.
    """
    pairs = _pairs(scope["query_string"])
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidMembersError([{"loc": (QUERY,), "msg": "names a member twice"}])
    return _validated(model, members, QUERY)


def _pairs(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MEMBERS_MAX,
        )
    except ValueError:
        # Not chained: the text of the error shows a part of the query.
        raise UnreadableQueryError("The query cannot be read.") from None


def _validated(model: type[M], content: Any, *place: str) -> M:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidMembersError(
            [{"loc": (*place, *one["loc"]), "msg": one["msg"]} for one in found]
        ) from None
