"""What is done to shares: created, changed, revoked, given one more link."""

import base64
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.responses import Response

from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.store.records import StoredShare
from orthanc_share.web.qr_code import QrFormat, qr_code
from token_service.manage import forms
from token_service.manage.calls import ask
from token_service.manage.context import Context, Offer, can_link
from token_service.manage.login import redirect
from token_service.manage.sessions import Session
from token_service.manage.visit import Visit
from token_service.manage.words import DURATIONS, TYPES, translatable

QR_LENGTH_MAX: Final = 300
"""Longest link that becomes a QR code, in characters; denser ones scan badly."""

USUAL_DURATION: Final = 2_592_000
"""What a new share's time is set to before somebody chooses, in seconds."""

CREATED: Final = translatable("The share was created")
ONE_MORE: Final = translatable("One more link")
AS_USUAL: Final = translatable("As this site does it")

REFUSED: Final = HTTPStatus.UNPROCESSABLE_ENTITY


class Acting:
    """Does it.

    Args:
        context: The parts.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def ask_new(self, visit: Visit, session: Session) -> Response:
        """Answer a GET with an empty form; a study may be in the address."""
        offer = self._context.offer
        form = {"studies": visit.query.get("study", ""), "duration": _usual(offer)}
        return self._new(visit, session, form)

    async def create(self, visit: Visit, session: Session) -> Response:
        """Create a share, and show its link this once."""
        body = forms.creation(visit.form)
        try:
            made = await ask(self._context.calls.create, visit, session, body)
        except OrthancShareError as error:
            return self._new(visit, session, visit.form, forms.errors_of(error))
        made |= await self._shorter(visit, session, made)
        has_password = "password" in body
        return self._link(visit, session, CREATED, made, has_password=has_password)

    async def ask_change(
        self, visit: Visit, session: Session, share_id: str
    ) -> Response:
        """Answer a GET with a form of how the share is."""
        kept = await self._context.store().shares.get(share_id)
        return self._change(visit, session, kept, forms.shown(kept))

    async def change(self, visit: Visit, session: Session, share_id: str) -> Response:
        """Change a share, and lead back to it."""
        kept = await self._context.store().shares.get(share_id)
        body, calls = forms.changing(visit.form, kept), self._context.calls
        try:
            await ask(calls.change, visit, session, body, share_id=share_id)
        except OrthancShareError as error:
            errors = forms.errors_of(error)
            return self._change(visit, session, kept, visit.form, errors)
        return redirect(f"../{share_id}")

    async def ask_revoke(
        self, visit: Visit, session: Session, share_id: str
    ) -> Response:
        """Answer a GET with the question whether it is meant."""
        kept = await self._context.store().shares.get(share_id)
        return self._revoke(visit, session, kept)

    async def revoke(self, visit: Visit, session: Session, share_id: str) -> Response:
        """Take a share back, and lead back to it."""
        kept = await self._context.store().shares.get(share_id)
        reason = visit.form.get("reason", "").strip() or None
        body, calls = {"reason": reason}, self._context.calls
        try:
            await ask(calls.revoke, visit, session, body, share_id=share_id)
        except OrthancShareError as error:
            return self._revoke(visit, session, kept, forms.errors_of(error))
        return redirect(f"../{share_id}")

    async def link(self, visit: Visit, session: Session, share_id: str) -> Response:
        """Give the share one more link, and show it this once."""
        kept = await self._context.store().shares.get(share_id)
        link = self._context.calls.link
        made = await ask(link, visit, session, {}, share_id=share_id)
        has_password = kept.password_hash is not None
        made["share-id"] = share_id
        return self._link(visit, session, ONE_MORE, made, has_password=has_password)

    async def _shorter(
        self, visit: Visit, session: Session, made: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return a short link in place of one that is too long for a QR code."""
        url: str | None = made["url"]
        share_id: str = made["share-id"]
        if url is None or len(url) <= QR_LENGTH_MAX:
            return {}
        if not await can_link(self._context, share_id):
            return {}
        link = self._context.calls.link
        shorter: Mapping[str, Any]
        shorter = await ask(link, visit, session, {}, share_id=share_id)
        return shorter

    def _new(
        self,
        visit: Visit,
        session: Session,
        form: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
    ) -> Response:
        offer = self._context.offer
        return self._context.pages.render(
            "create",
            visit,
            session,
            status=REFUSED if errors else HTTPStatus.OK,
            # A password is not sent back.
            form={**form, "password": ""},
            errors=errors or {},
            types=[(kind.value, TYPES[kind]) for kind in offer.types],
            durations=_durations(offer),
            offers_anonymized=offer.anonymized,
            notices=self._context.notices,
        )

    def _change(
        self,
        visit: Visit,
        session: Session,
        kept: StoredShare,
        form: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
    ) -> Response:
        return self._context.pages.render(
            "change",
            visit,
            session,
            status=REFUSED if errors else HTTPStatus.OK,
            kept=kept,
            form={**form, "password": ""},
            errors=errors or {},
        )

    def _revoke(
        self,
        visit: Visit,
        session: Session,
        kept: StoredShare,
        errors: Mapping[str, str] | None = None,
    ) -> Response:
        return self._context.pages.render(
            "revoke",
            visit,
            session,
            status=REFUSED if errors else HTTPStatus.OK,
            kept=kept,
            form=visit.form,
            errors=errors or {},
        )

    def _link(
        self,
        visit: Visit,
        session: Session,
        heading: str,
        made: Mapping[str, Any],
        *,
        has_password: bool,
    ) -> Response:
        return self._context.pages.render(
            "link",
            visit,
            session,
            heading=heading,
            share_id=made["share-id"],
            url=made["url"],
            has_password=has_password,
            **_pictures(made["url"]),
        )


def _durations(offer: Offer) -> list[tuple[str, str]]:
    """Return the times to choose from: what is not allowed is not offered."""
    lifetimes = offer.lifetimes
    most = None if lifetimes.maximum is None else lifetimes.maximum.total_seconds()
    is_endless = most is None and lifetimes.allow_unlimited
    found = [
        (str(seconds), text)
        for seconds, text in DURATIONS.items()
        if (is_endless if not seconds else most is None or seconds <= most)
    ]
    if lifetimes.default is not None or not found:
        found.insert(0, ("", AS_USUAL))
    return found


def _usual(offer: Offer) -> str:
    """Return the time that is set before somebody chooses."""
    values = [value for value, _ in _durations(offer)]
    usual = str(USUAL_DURATION)
    return usual if usual in values and "" not in values else values[0]


def _pictures(url: str | None) -> dict[str, Any]:
    if url is None or len(url) > QR_LENGTH_MAX:
        return {"qr": None, "png": None}
    names = {"qr": QrFormat.SVG, "png": QrFormat.PNG}
    drawn = {name: qr_code(url, form) for name, form in names.items()}
    return {name: base64.b64encode(one).decode() for name, one in drawn.items()}
