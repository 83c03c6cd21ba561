"""A site with a registry, without HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Share, ShareType, new_share_id
from orthanc_share.domain.viewer import ViewerLinks, ViewerRoots
from orthanc_share.registry.options import RegistryOptions
from orthanc_share.registry.registry import Registry
from orthanc_share.store.records import NewShare, Origin
from orthanc_share.tokens.codec import ShareCodec
from tests.support.service import MovableClock
from tests.support.settings import DEIDENTIFICATION_KEY, PUBLIC
from tests.support.tokens import codec

STUDY = Resource(
    Level.STUDY, "1.2.276.0.99.1", "11111111-22222222-33333333-44444444-55555555"
)
VISITOR = Origin(None, "192.0.2.7", "Browser/1")
PASSWORD = "correct horse"
DAY = timedelta(days=1)
LINKS = ViewerLinks(
    ViewerRoots(
        orthanc=f"{PUBLIC}/shares/",
        anonymized_orthanc=f"{PUBLIC}/anon-shares/",
        landing=f"{PUBLIC}/welcome/",
    ),
    lambda share: SharePseudonyms(DEIDENTIFICATION_KEY.encode(), share.id),
)


class Site:
    """A running registry, and how shares get into it."""

    def __init__(self, registry: Registry, clock: MovableClock) -> None:
        self.registry = registry
        self.clock = clock
        self.codec: ShareCodec = codec()

    def share(self, **changes: Any) -> Share:
        """Return a share that nobody knows."""
        values: dict[str, Any] = {
            "id": new_share_id(),
            "type": ShareType.STONE_PUBLICATION,
            "resources": (STUDY,),
            "issued_at": self.clock.now,
            "not_before": self.clock.now,
            "expires_at": self.clock.now + DAY,
        }
        return Share(**values | changes)

    def token(self, share: Share) -> str:
        """Return the long token of a share."""
        return self.codec.sign(share)

    async def kept(
        self, *, max_openings: int | None = None, password: str = "", **changes: Any
    ) -> Share:
        """Return a share that is in the registry."""
        is_guarded = max_openings is not None or bool(password)
        share = self.share(needs_opening=is_guarded, **changes)
        hashed = await self.registry.passwords.hash(password) if password else None
        new = NewShare(
            share, "somebody", max_openings=max_openings, password_hash=hashed
        )
        await self.registry.store.shares.create(
            new, now=self.clock.now, origin=Origin("somebody")
        )
        return share

    async def revoke(self, share: Share) -> None:
        """Take a share back."""
        await self.registry.store.revoker.revoke(
            share.id, now=self.clock.now, origin=Origin("somebody")
        )


def options(folder: Path, **changes: Any) -> RegistryOptions:
    """Return options of a registry in `folder`."""
    return RegistryOptions(f"sqlite:///{folder / 'registry.sqlite'}", **changes)


def registry(chosen: RegistryOptions, clock: MovableClock) -> Registry:
    """Return a registry that does not run yet."""
    return Registry(chosen, codec(), LINKS, clock)


@asynccontextmanager
async def running_site(folder: Path, **changes: Any) -> AsyncIterator[Site]:
    """Run a registry in `folder`."""
    clock = MovableClock()
    made = registry(options(folder, **changes), clock)
    async with made.running():
        yield Site(made, clock)
