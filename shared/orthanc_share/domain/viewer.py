"""Links: where a share is opened, for every viewer (protocol C)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never
from urllib.parse import quote

from orthanc_share.domain.errors import (
    InvalidResourceError,
    LimitNotEnforceableError,
    ShareTypeDisabledError,
)
from orthanc_share.domain.share import Flavour, Share, ShareType


class OhifDataSource(StrEnum):
    """How OHIF reads the images."""

    DICOM_WEB = "dicom-web"
    DICOM_JSON = "dicom-json"


OHIF_ANONYMIZED_SOURCE = "anonymized"
"""Name of OHIF's data source that points at the anonymizer (see `demo/ohif`)."""

SHORT_LINKS = "s/"
"""Path of short links, below the landing page's own; the code follows."""


class Pseudonyms(Protocol):
    """The ids under which a de-identified share is seen."""

    def uid(self, uid: str) -> str:
        """Return the UID that stands for `uid`."""

    def orthanc_id(self, orthanc_id: str) -> str:
        """Return the Orthanc id that stands for `orthanc_id`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerRoots:
    """Public addresses of this site, each ending with `/`; None: not offered.

    Args:
        orthanc: Orthanc for shares, with its viewers.
        anonymized_orthanc: The anonymizer.
        landing: Landing page; ends with `/` or with the name of a page.
        ohif: OHIF viewer.
        ohif_data_source: How OHIF reads the images.
        meddream: MedDream viewer.
        enabled_types: Types that the site offers; None: all whose roots are known.
    """

    orthanc: str | None = None
    anonymized_orthanc: str | None = None
    landing: str | None = None
    ohif: str | None = None
    ohif_data_source: OhifDataSource = OhifDataSource.DICOM_WEB
    meddream: str | None = None
    enabled_types: frozenset[ShareType] | None = None


class ViewerLinks:
    """Builds links from the configured roots and percent-encoded ids, nothing else.

    Args:
        roots: Public addresses of this site.
        pseudonyms: Gives the ids of a de-identified share; None: the site makes none.
    """

    def __init__(
        self,
        roots: ViewerRoots,
        pseudonyms: Callable[[Share], Pseudonyms] | None = None,
    ) -> None:
        self._roots = roots
        self._pseudonyms = pseudonyms

    def check(self, share: Share) -> None:
        """Return if this site can open `share`.

        Raises:
            ShareTypeDisabledError: The type or the flavour is not offered here.
            InvalidResourceError: An id that the viewer needs is missing, or a level
                other than study.
        """
        enabled = self._roots.enabled_types
        if enabled is not None and share.type not in enabled:
            raise ShareTypeDisabledError(f"This site does not offer {share.type}.")
        if share.flavour is Flavour.ANONYMIZED:
            self._check_anonymized(share)
        if share.type.is_publication or share.type.is_meddream:
            if not share.has_only_studies:
                raise InvalidResourceError(f"{share.type} shares whole studies only.")
            self.viewer_url(share, "")
        if share.type is ShareType.MEDDREAM_PUBLICATION and not self._roots.landing:
            raise ShareTypeDisabledError(
                f"{share.type} needs a landing page (PUBLIC_LANDING_ROOT)."
            )

    def _check_anonymized(self, share: Share) -> None:
        if share.type.is_meddream:
            raise ShareTypeDisabledError(
                f"{share.type} cannot be de-identified: MedDream reads Orthanc itself."
            )
        if self._roots.anonymized_orthanc is None or self._pseudonyms is None:
            raise ShareTypeDisabledError("This site does not offer anonymized shares.")

    def check_guardable(self, share: Share) -> None:
        """Return if a limit or a second factor of `share` would hold.

        Raises:
            LimitNotEnforceableError: Its link leads past the landing page, where
                nobody would ask for a password, or count.
        """
        if not share.type.is_publication:
            raise LimitNotEnforceableError(f"{share.type} takes no limit or password.")
        if self._roots.landing is None:
            raise LimitNotEnforceableError(
                "A limit or a password needs a landing page (PUBLIC_LANDING_ROOT)."
            )

    def link(self, share: Share, token: str) -> str | None:
        """Return the link to hand out; None for links that the caller builds (C.1).

        Args:
            share: A share that `check` accepts.
            token: Our token; for a MedDream instant link MedDream's token.
        """
        if share.type.is_publication:
            return self.landing_url(token) or self.viewer_url(share, token)
        return self.viewer_url(share, token)

    def landing_url(self, token: str) -> str | None:
        """Return the landing page's address for `token`; None: there is no page."""
        if self._roots.landing is None:
            return None
        return f"{self._roots.landing}?token={_encode(token)}"

    def short_url(self, code: str) -> str | None:
        """Return the landing page's address for the code of a short link.

        None: there is no page below which it could be.
        """
        root = self._roots.landing
        if root is None or not root.endswith("/"):
            return None
        return f"{root}{SHORT_LINKS}{_encode(code)}"

    def viewer_url(self, share: Share, token: str) -> str | None:
        """Return where a browser opens `share`; None for viewer and download links.

        Args:
            share: The share.
            token: Our token; for MedDream's types MedDream's token.

        Raises:
            ShareTypeDisabledError: The viewer's root is not configured.
            InvalidResourceError: An id that the viewer needs is missing.
        """
        match share.type:
            case ShareType.STONE_PUBLICATION:
                return self._stone(share, token)
            case ShareType.OSIMIS_PUBLICATION:
                return self._osimis(share, token)
            case ShareType.VOLVIEW_PUBLICATION:
                return self._volview(share, token)
            case ShareType.OHIF_PUBLICATION:
                return self._ohif(share, token)
            case ShareType.MEDDREAM_PUBLICATION | ShareType.MEDDREAM_INSTANT_LINK:
                root = _configured(self._roots.meddream, "PUBLIC_MEDDREAM_ROOT")
                return f"{root}?study={self._uids(share)}&token={_encode(token)}"
            case ShareType.VIEWER_INSTANT_LINK | ShareType.DOWNLOAD_INSTANT_LINK:
                return None
            case _ as never:
                assert_never(never)

    def _stone(self, share: Share, token: str) -> str:
        uids = self._uids(share)
        return (
            f"{self._orthanc(share)}stone-webviewer/index.html"
            f"?study={uids}&selectedStudies={uids}&token={_encode(token)}"
        )

    def _osimis(self, share: Share, token: str) -> str:
        ids = _join(self._orthanc_ids(share))
        return (
            f"{self._orthanc(share)}osimis-viewer/app/index.html"
            f"?pickableStudyIds={ids}&selectedStudyIds={ids}&token={_encode(token)}"
        )

    def _volview(self, share: Share, token: str) -> str:
        root = self._orthanc(share)
        if share.flavour is Flavour.ANONYMIZED and share.has_dicom_uids:
            source = _encode(f"{root}{self._dicomweb(share)}")
            return f"{root}volview/index.html?dicomweb={source}&token={_encode(token)}"
        ids = self._orthanc_ids(share)
        # One name for each address; the predecessors named only the first (A39).
        names = (
            ["archive.zip"]
            if len(ids) == 1
            else [f"archive-{number}.zip" for number, _ in enumerate(ids, 1)]
        )
        archives = (f"../studies/{study}/archive" for study in ids)
        return (
            f"{root}volview/index.html?names=[{','.join(names)}]"
            f"&urls={','.join(archives)}&token={_encode(token)}"
        )

    def _dicomweb(self, share: Share) -> str:
        # With one study VolView opens its list of series, else that of studies.
        uids = self._uids(share)
        return "dicom-web" if "," in uids else f"dicom-web/studies/{uids}"

    def _ohif(self, share: Share, token: str) -> str:
        root = _configured(self._roots.ohif, "PUBLIC_OHIF_ROOT")
        is_anonymized = share.flavour is Flavour.ANONYMIZED
        if self._roots.ohif_data_source is OhifDataSource.DICOM_JSON:
            ids = self._orthanc_ids(share)
            if len(ids) > 1:
                raise InvalidResourceError("OHIF's dicom-json opens exactly one study.")
            orthanc = self._orthanc(share) if is_anonymized else "../"
            source = f"{orthanc}studies/{ids[0]}/ohif-dicom-json"
            if is_anonymized:
                # OHIF 3.13 asks for this document without its `Authorization`.
                source += f"?token={_encode(token)}"
            return f"{root}viewer?url={quote(source)}&token={_encode(token)}"
        source = f"/{OHIF_ANONYMIZED_SOURCE}" if is_anonymized else ""
        uids = self._uids(share)
        return f"{root}viewer{source}?StudyInstanceUIDs={uids}&token={_encode(token)}"

    def _orthanc(self, share: Share) -> str:
        if share.flavour is Flavour.ANONYMIZED:
            return _configured(
                self._roots.anonymized_orthanc, "PUBLIC_ANONYMIZED_ORTHANC_ROOT"
            )
        return _configured(self._roots.orthanc, "PUBLIC_ORTHANC_ROOT")

    def _uids(self, share: Share) -> str:
        if share.flavour is Flavour.ANONYMIZED:
            pseudonyms = self._require_pseudonyms(share)
            return _join([pseudonyms.uid(uid) for uid in share.dicom_uids])
        return _join(share.dicom_uids)

    def _orthanc_ids(self, share: Share) -> Sequence[str]:
        if share.flavour is Flavour.ANONYMIZED:
            pseudonyms = self._require_pseudonyms(share)
            return [pseudonyms.orthanc_id(study) for study in share.orthanc_ids]
        return share.orthanc_ids

    def _require_pseudonyms(self, share: Share) -> Pseudonyms:
        # Without them the link would name the real study.
        if self._pseudonyms is None:
            raise ShareTypeDisabledError("This site does not offer anonymized shares.")
        return self._pseudonyms(share)


def _configured(root: str | None, setting: str) -> str:
    if root is None:
        raise ShareTypeDisabledError(f"This viewer is not set up ({setting}).")
    return root


def _encode(text: str) -> str:
    return quote(text, safe="")


def _join(ids: Sequence[str]) -> str:
    # UIDs and Orthanc ids hold nothing that must be encoded (`Resource`).
    return ",".join(ids)
