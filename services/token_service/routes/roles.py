"""`GET` and `PUT /settings/roles`: who may do what, for OE2's permission page."""

import asyncio
import logging

import msgspec
from starlette.types import Scope

from orthanc_share.config.roles_file import RolesFile
from orthanc_share.domain.roles import parse_roles
from orthanc_share.web.json_body import parse_json
from orthanc_share.web.plain import CALLER

_log = logging.getLogger(__name__)


class Roles:
    """Shows and replaces the site's roles.

    Args:
        file: Where they are kept.
    """

    def __init__(self, file: RolesFile) -> None:
        self._file = file

    async def show(self, _scope: Scope, _body: bytes) -> bytes:
        """Return all roles."""
        document = await asyncio.to_thread(self._file.read)
        return msgspec.json.encode(document.to_json())

    async def replace(self, scope: Scope, body: bytes) -> bytes:
        """Replace all roles by those in `body`; return what holds now.

        A 204 would be an error for the plugin (protocol B.6).
        """
        document = parse_roles(parse_json(body))
        await asyncio.to_thread(self._file.replace, document)
        extra = {"caller": scope[CALLER], "roles": len(document.roles)}
        _log.warning("roles replaced", extra=extra)
        return msgspec.json.encode(document.to_json())
