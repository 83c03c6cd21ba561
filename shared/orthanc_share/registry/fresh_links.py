"""Further links of a share, for those given out are known by their hashes only."""

from collections.abc import Callable
from dataclasses import dataclass

from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import NoShortLinkError
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.store.errors import ShareRevokedError
from orthanc_share.store.records import Event, EventKind, Origin, StoredShare
from orthanc_share.store.rows import studies_of
from orthanc_share.store.store import Store


@dataclass(frozen=True, slots=True)
class FreshLinks:
    """Gives shares one more short link.

    Args:
        store: Gives the store; raises `StoreUnavailableError` while there is none.
        links: Makes links.
        clock: The present instant.
    """

    store: Callable[[], Store]
    links: ViewerLinks
    clock: Clock

    async def check(self, share_id: str) -> StoredShare:
        """Return the share if it can have one more link.

        Raises:
            ShareNotFoundError: There is no such share.
            ShareRevokedError: It was taken back.
            ShareTypeDisabledError: The site does not offer its type any more.
            NoShortLinkError: No landing page of this site would open the link.
            StoreUnavailableError: The database cannot be reached.
        """
        found = await self.store().shares.get(share_id)
        if found.revocation is not None:
            raise ShareRevokedError
        self.links.check(found.share)
        if not found.share.type.is_publication:
            raise NoShortLinkError(f"{found.share.type} is not opened by a short link.")
        self._url("")
        return found

    async def issue(self, share_id: str, origin: Origin) -> str:
        """Return a new short link of a share, which opens as the others do.

        It is written down before it is given out.

        Raises:
            OrthancShareError: As `check`.
        """
        found, now = await self.check(share_id), self.clock()
        store = self.store()
        code = await store.codes.issue(share_id, now=now)
        event = Event(
            EventKind.CHANGED,
            now,
            share_id,
            origin,
            studies_of(found.share),
            details={"link": "issued"},
        )
        await store.audit.record(event)
        return self._url(code)

    def _url(self, code: str) -> str:
        url = self.links.short_url(code)
        if url is None:
            raise NoShortLinkError(
                "Short links need a landing page (PUBLIC_LANDING_ROOT, ending with /)."
            )
        return url
