"""What was agreed when somebody shared something."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from orthanc_share.domain.errors import (
    ExpiredTokenError,
    InvalidResourceError,
    NotYetValidTokenError,
)
from orthanc_share.domain.resource import Level, Resource

RESOURCES_MAX = 100
"""Most resources of one share: its token must fit into a request line of 16 KB."""

CLOCK_LEEWAY = timedelta(seconds=60)
"""How far the clocks of two of our machines may differ for a token's start."""

SHARE_ID_LENGTH = 22
"""Characters of a share's id (`jti`): 6 random bits in each, 131.9 in all."""


class Flavour(StrEnum):
    """Whether a share shows the images as they are or de-identified."""

    STANDARD = "standard"
    ANONYMIZED = "anonymized"


class ShareType(StrEnum):
    """The plugin's token types that the service makes (protocol B.1.2)."""

    OSIMIS_PUBLICATION = "osimis-viewer-publication"
    STONE_PUBLICATION = "stone-viewer-publication"
    OHIF_PUBLICATION = "ohif-viewer-publication"
    VOLVIEW_PUBLICATION = "volview-viewer-publication"
    MEDDREAM_PUBLICATION = "meddream-viewer-publication"
    MEDDREAM_INSTANT_LINK = "meddream-instant-link"
    VIEWER_INSTANT_LINK = "viewer-instant-link"
    DOWNLOAD_INSTANT_LINK = "download-instant-link"

    @property
    def is_publication(self) -> bool:
        """Long-lived link for a person, which ends at the landing page."""
        return self.value.endswith("-publication")

    @property
    def is_meddream(self) -> bool:
        """Shown by MedDream, which fetches images with credentials of its own."""
        return self.value.startswith("meddream-")


def new_share_id() -> str:
    """Return a fresh random share id, in the letters of base64url.

    Command lines take what begins with `-` for an option: such an id is drawn again.
    """
    while True:
        # As many bytes as characters are more than enough.
        drawn = secrets.token_urlsafe(SHARE_ID_LENGTH)[:SHARE_ID_LENGTH]
        if not drawn.startswith("-"):
            return drawn


@dataclass(frozen=True, slots=True)
class Share:
    """A share: these resources, for so long, in this way.

    Args:
        id: Random id; becomes the token's `jti`.
        type: How it is opened.
        flavour: As it is, or de-identified.
        resources: What it opens; 1 to `RESOURCES_MAX`.
        issued_at: When it was made, UTC; None for a token of a predecessor.
        not_before: From when it opens anything, UTC; None: at once.
        expires_at: First instant at which it opens nothing any more, UTC; None: never.
        needs_opening: It has a limit or a second factor, so that its link opens nothing
            by itself: the landing page turns it into a viewer token.
        view_id: Of a viewer token, which a browser got when the link was opened: the id
            of this view; None: the token is the link's own.

    Raises:
        InvalidResourceError: No resources, or too many.
    """

    id: str
    type: ShareType
    resources: tuple[Resource, ...] = field(repr=False)
    flavour: Flavour = Flavour.STANDARD
    issued_at: datetime | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    needs_opening: bool = False
    view_id: str | None = None

    def __post_init__(self) -> None:
        if not self.resources:
            raise InvalidResourceError("A share needs at least one resource.")
        if len(self.resources) > RESOURCES_MAX:
            raise InvalidResourceError(
                f"A share can hold at most {RESOURCES_MAX} resources."
            )

    def check_time(self, now: datetime) -> None:
        """Return if the share is valid at `now`.

        Raises:
            ExpiredTokenError: `expires_at` has come (RFC 7519 4.1.4: on or after).
            NotYetValidTokenError: `not_before` is more than `CLOCK_LEEWAY` away.
        """
        if self.expires_at is not None and now >= self.expires_at:
            raise ExpiredTokenError(self.type, self.expires_at)
        if self.not_before is not None and now < self.not_before - CLOCK_LEEWAY:
            raise NotYetValidTokenError(self.type, self.not_before)

    @property
    def has_dicom_uids(self) -> bool:
        """Whether every resource has a DICOM id."""
        return all(resource.dicom_uid for resource in self.resources)

    @property
    def dicom_uids(self) -> tuple[str, ...]:
        """The DICOM ids, in order.

        Raises:
            InvalidResourceError: One resource has none.
        """
        uids = tuple(r.dicom_uid for r in self.resources if r.dicom_uid)
        if len(uids) != len(self.resources):
            raise InvalidResourceError(f"{self.type} needs every dicom-uid.")
        return uids

    @property
    def orthanc_ids(self) -> tuple[str, ...]:
        """The Orthanc ids, in order.

        Raises:
            InvalidResourceError: One resource has none.
        """
        ids = tuple(r.orthanc_id for r in self.resources if r.orthanc_id)
        if len(ids) != len(self.resources):
            raise InvalidResourceError(f"{self.type} needs every orthanc-id.")
        return ids

    @property
    def has_only_studies(self) -> bool:
        """Whether every resource is a study, the level that all viewers understand."""
        return all(resource.level is Level.STUDY for resource in self.resources)
