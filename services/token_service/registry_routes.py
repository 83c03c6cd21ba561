"""The routes of the share registry, and what they say where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Scope

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import RegistryOffError
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.registry.changing import ShareChanger
from orthanc_share.registry.fresh_links import FreshLinks
from orthanc_share.registry.registry import Registry
from orthanc_share.web.plain import Answer
from token_service.origins import Origins
from token_service.registry_operations import REGISTRY_OPERATIONS
from token_service.routes.audit import AuditTrails
from token_service.routes.fresh_links import LinkMaker
from token_service.routes.management import ManagedShares
from token_service.routes.neighbours import Neighbours

Routes = Mapping[str, Mapping[str, Answer]]
"""Path to method to what answers."""


@dataclass(frozen=True, slots=True)
class RegistryParts:
    """What the routes of the registry are made of.

    Args:
        registry: The registry.
        links: Makes links.
        lifetimes: The site's rule for the end of shares.
        origins: Tells who calls, and from where.
        clock: The present instant.
    """

    registry: Registry
    links: ViewerLinks
    lifetimes: LifetimePolicy
    origins: Origins
    clock: Clock

    def changer(self) -> ShareChanger:
        """Return what changes shares."""
        return ShareChanger(
            lambda: self.registry.store,
            self.registry.passwords,
            self.links,
            self.lifetimes,
            self.clock,
        )

    def fresh_links(self) -> FreshLinks:
        """Return what makes further links."""
        return FreshLinks(lambda: self.registry.store, self.links, self.clock)


def registry_routes(parts: RegistryParts | None) -> Routes:
    """Return the routes of the registry.

    Args:
        parts: What they are made of; None: `REGISTRY=off`, all answer that.
    """
    if parts is None:
        off = ({one.path: {one.method.upper(): _off}} for one in REGISTRY_OPERATIONS)
        return merged(*off)
    shares = ManagedShares(parts.registry, parts.changer(), parts.origins, parts.clock)
    links = LinkMaker(parts.fresh_links(), parts.origins)
    neighbours = Neighbours(parts.registry, parts.clock)
    audit = AuditTrails(parts.registry)
    return {
        "/shares": {"GET": shares.list},
        "/shares/revoke": {"POST": shares.revoke_many},
        "/shares/news": {"GET": neighbours.news},
        "/shares/tallies": {"POST": neighbours.report},
        "/shares/{share}": {
            "GET": shares.show,
            "PATCH": shares.change,
            "DELETE": shares.revoke,
        },
        "/shares/{share}/events": {"GET": shares.events},
        "/shares/{share}/link": {"POST": links.link},
        "/shares/{share}/qr.svg": {"GET": links.svg},
        "/shares/{share}/qr.png": {"GET": links.png},
        "/audit/events": {"GET": audit.events},
        "/audit/verify": {"POST": audit.verify},
        "/links/look": {"POST": neighbours.look},
        "/links/open": {"POST": neighbours.open},
    }


NEIGHBOURS = frozenset(
    {"/shares/news", "/shares/tallies", "/links/look", "/links/open"}
)
"""What landing and anonymizer ask, beside the plugin's questions."""


def merged(*tables: Routes) -> Routes:
    """Return all routes of `tables`, with all methods of a path."""
    routes: dict[str, dict[str, Answer]] = {}
    for table in tables:
        for path, methods in table.items():
            routes.setdefault(path, {}).update(methods)
    return routes


async def _off(_scope: Scope, _body: bytes) -> bytes:
    raise RegistryOffError
