"""The plain endpoints that are described: what each takes, answers and refuses."""

from dataclasses import dataclass

from pydantic import BaseModel

from token_service.schemas import (
    AccessAnswer,
    AccessQuestion,
    LetterAnswer,
    LetterRequest,
    NamesBody,
    ProfileAnswer,
    ProfileQuestion,
    RolesBody,
    ShareAnswer,
    ShareRequest,
    TokenAnswer,
    TokenQuestion,
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Args:
        method: In lower case.
        path: With parameters in braces.
        summary: One line.
        body: Model of the request's body, if any.
        answer: Model of the answer; None: it is no JSON.
        refusals: Status codes of problem bodies besides 401, 408, 413, 500 and 503.
        description: More lines.
        query: Model of the query, if any.
        media_type: Of an answer that is no JSON.
        needs_body: Whether the body must be there.
    """

    method: str
    path: str
    summary: str
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    refusals: tuple[int, ...] = ()
    description: str = ""
    query: type[BaseModel] | None = None
    media_type: str = "text/html"
    needs_body: bool = True

    @property
    def refused(self) -> tuple[int, ...]:
        """All status codes of problem bodies."""
        reading = (408, 413) if self.body is not None else ()
        return tuple(sorted((401, 500, 503, *reading, *self.refusals)))


_CREATION = (400, 422, 502)
_TYPED = "The type goes before the one in the body and must not contradict it."
_ALWAYS = "A question that cannot be read is denied, not refused."

OPERATIONS = (
    Operation("put", "/shares", "Make a share", ShareRequest, ShareAnswer, _CREATION),
    *(
        Operation(
            "put", path, "Make a share", ShareRequest, ShareAnswer, _CREATION, _TYPED
        )
        for path in ("/shares/{share}", "/tokens/{type}")
    ),
    *(
        Operation(
            "post",
            path,
            "May this token do this?",
            AccessQuestion,
            AccessAnswer,
            description=_ALWAYS,
        )
        for path in ("/shares/validate", "/tokens/validate")
    ),
    *(
        Operation("post", path, "What is in this token?", TokenQuestion, TokenAnswer)
        for path in ("/shares/decode", "/tokens/decode")
    ),
    *(
        Operation("post", path, "Who is this?", ProfileQuestion, ProfileAnswer)
        for path in ("/shares/profile", "/user/get-profile")
    ),
    *(
        Operation("get", path, "All roles", answer=RolesBody)
        for path in ("/shares/roles", "/settings/roles")
    ),
    *(
        Operation(
            "put", path, "Replace all roles", RolesBody, RolesBody, (400, 409, 422)
        )
        for path in ("/shares/roles", "/settings/roles")
    ),
)
"""The plain endpoints that need no registry, but those of `EMAIL_OPERATIONS`."""

EMAIL_OPERATIONS = (
    Operation("get", "/emails/templates", "Names of all templates", answer=NamesBody),
    Operation("get", "/emails/templates/{name}", "One template", refusals=(404,)),
    Operation(
        "post",
        "/emails/send",
        "Send a letter",
        LetterRequest,
        LetterAnswer,
        (400, 404, 422),
    ),
)
"""The endpoints that exist only with `ENABLE_EMAILS`."""
