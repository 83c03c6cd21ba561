"""`/emails/*`: the share dialog's letters (protocol B.7)."""

from http import HTTPStatus

import msgspec
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from orthanc_share.upstream.mail import Mail, Mailer
from orthanc_share.upstream.mail_delivery import NotSent
from token_service.reading import read_body_as
from token_service.schemas import LetterRequest

_TEMPLATES = "/emails/templates/"


class Emails:
    """Sends letters and shows their templates.

    Args:
        mailer: Knows the mail server and the templates.
    """

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer

    async def names(self, _scope: Scope, _body: bytes) -> bytes:
        """Return the names of all templates."""
        return msgspec.json.encode(self._mailer.templates.names())

    async def template(self, scope: Scope, _body: bytes) -> Response:
        """Return the HTML of one template."""
        name = str(scope["path"]).removeprefix(_TEMPLATES)
        return HTMLResponse(
            self._mailer.templates.read(name),
            # Shown by Orthanc Explorer 2 in its editor, never as a page of ours.
            headers={"Content-Security-Policy": "sandbox", "Cache-Control": "no-store"},
        )

    async def send(self, _scope: Scope, body: bytes) -> Response:
        """Send a letter; 400 with the reason if it could not be sent."""
        letter = read_body_as(LetterRequest, body)
        outcome = await self._mailer.send(
            Mail(
                to=letter.destination_email,
                title=letter.email_title,
                content=letter.email_content,
                layout=letter.layout_template,
            )
        )
        failed = isinstance(outcome, NotSent)
        answer = {
            "success": not failed,
            "details": outcome.details if isinstance(outcome, NotSent) else None,
        }
        return Response(
            msgspec.json.encode(answer),
            HTTPStatus.BAD_REQUEST if failed else HTTPStatus.OK,
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
