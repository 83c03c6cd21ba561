"""The API's own answers, asked from within: each rule stands in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from orthanc_share.web.plain import CALLER, Answer
from token_service.manage.sessions import Session
from token_service.manage.visit import Visit


@dataclass(frozen=True, slots=True)
class ShareCalls:
    """What answers the API's requests that change something.

    Args:
        create: `PUT /shares`.
        change: `PATCH /shares/{share}`.
        revoke: `DELETE /shares/{share}`.
        link: `POST /shares/{share}/link`.
    """

    create: Answer
    change: Answer
    revoke: Answer
    link: Answer

    @classmethod
    def among(cls, routes: Mapping[str, Mapping[str, Answer]]) -> "ShareCalls":
        """Return those of the API's routes, by path and method."""
        share = routes["/shares/{share}"]
        return cls(
            create=routes["/shares"]["PUT"],
            change=share["PATCH"],
            revoke=share["DELETE"],
            link=routes["/shares/{share}/link"]["POST"],
        )


async def ask(
    answer: Answer,
    visit: Visit,
    session: Session,
    body: Mapping[str, Any],
    *,
    share_id: str | None = None,
) -> Any:
    """Return the JSON that the API answers to a request of this browser.

    Args:
        answer: What answers.
        visit: From where.
        session: Who asks.
        body: JSON of the request.
        share_id: Of which share; None: of none.

    Raises:
        OrthancShareError: As the API.
    """
    params = {} if share_id is None else {"share": share_id}
    path = "/shares" if share_id is None else f"/shares/{share_id}"
    scope = {
        **visit.scope,
        "path": path,
        "query_string": b"",
        "path_params": params,
        CALLER: session.account,
    }
    answered = await answer(scope, msgspec.json.encode(body))
    content = answered.body if isinstance(answered, Response) else answered
    return msgspec.json.decode(bytes(content))
