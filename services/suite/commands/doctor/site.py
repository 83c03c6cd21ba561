"""The site that is examined: settings, clients, and a token that opens nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.errors import ConfigurationError, InvalidTokenError
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Flavour, Share, ShareType, new_share_id
from orthanc_share.upstream.client import Client
from orthanc_share.web.sharing import Sharing, build_sharing

NO_STUDY = Resource(
    dicom_uid="2.25.0", orthanc_id="00000000-00000000-00000000-00000000-00000000"
)
"""The resource of the doctor's tokens: there is no such study."""

LIFETIME = timedelta(minutes=2)
"""How long the doctor's tokens live."""


@dataclass(frozen=True, slots=True)
class Site:
    """What is examined.

    Args:
        settings: Settings of each service that is examined, by its name.
        client: Asks addresses.
        clock: The present instant.
        plugin_url: Address at which the authorization plugin asks token-service.
        login: The user with whom token-service is asked.
    """

    settings: Mapping[str, SharingSettings]
    client: Client
    clock: Clock
    plugin_url: str | None = None
    login: tuple[str, str] | None = None

    @property
    def any_settings(self) -> SharingSettings:
        """The settings of one service, for what all must agree on."""
        return next(iter(self.settings.values()))

    def sharing(self) -> Sharing | None:
        """Return the tools with the first service's keys; None: they are wrong."""
        try:
            return build_sharing(self.any_settings, clock=self.clock)
        except ConfigurationError:
            return None

    def token(self, flavour: Flavour, *, expired: bool = False) -> str | None:
        """Return a signed token of a study that does not exist; None: no key signs.

        Args:
            flavour: As it is, or de-identified.
            expired: Whether its time is over.
        """
        sharing, now = self.sharing(), self.clock()
        if sharing is None or not sharing.can_sign:
            return None
        share = Share(
            id=f"doctor-{new_share_id()}",
            type=ShareType.STONE_PUBLICATION,
            resources=(NO_STUDY,),
            flavour=flavour,
            issued_at=now,
            not_before=now - LIFETIME,
            expires_at=now + LIFETIME,
        )
        if expired:
            share = replace(share, expires_at=now - timedelta(seconds=1))
        try:
            return sharing.codec.sign(share)
        except InvalidTokenError:  # what is anonymized is sealed, and there is no key
            return None
