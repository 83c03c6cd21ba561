"""`/shares/{share}/link` and `/shares/{share}/qr.*`: one more link of a share."""

import logging
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Scope

from orthanc_share.registry.fresh_links import FreshLinks
from orthanc_share.web.plain import CALLER
from orthanc_share.web.qr_code import QrFormat, qr_code
from token_service.origins import Origins
from token_service.registry_schemas import FreshLink
from token_service.routes.management import share_id

_HEADERS = {
    "Cache-Control": "no-store",
    # Opened by itself, an SVG is a document of this host.
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """Makes links of shares that are kept, as text or as QR code.

    Args:
        links: Makes them.
        origins: Tells who calls, and from where.
    """

    links: FreshLinks
    origins: Origins

    async def link(self, scope: Scope, _body: bytes) -> bytes:
        """Return a new link."""
        url = await self._new(scope)
        return FreshLink(url=url).model_dump_json(by_alias=True).encode()

    async def svg(self, scope: Scope, _body: bytes) -> Response:
        """Return the QR code of a new link as SVG."""
        return await self._drawn(scope, QrFormat.SVG)

    async def png(self, scope: Scope, _body: bytes) -> Response:
        """Return the QR code of a new link as PNG."""
        return await self._drawn(scope, QrFormat.PNG)

    async def _drawn(self, scope: Scope, form: QrFormat) -> Response:
        if scope["method"] == "HEAD":
            # Nobody sees the link: none is made.
            await self.links.check(share_id(scope))
            return Response(headers=_HEADERS, media_type=form.media_type)
        drawn = qr_code(await self._new(scope), form)
        return Response(drawn, headers=_HEADERS, media_type=form.media_type)

    async def _new(self, scope: Scope) -> str:
        wanted = share_id(scope)
        url = await self.links.issue(wanted, self.origins.of(scope))
        _log.info("link issued", extra={"share": wanted, "caller": scope[CALLER]})
        return url
