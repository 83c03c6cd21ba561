"""Settings of the share registry."""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.sources import SettingsBase, problems_of
from orthanc_share.config.values import REGISTRY_GRACE, Duration, RegistryGrace
from orthanc_share.registry.options import RegistryOptions
from orthanc_share.store.records import Retention
from orthanc_share.store.second_factor import TryLimits
from orthanc_share.store.urls import parse_url
from orthanc_share.tokens.keyring import weaknesses

DATABASE_FILE = "orthanc-share.sqlite"
"""Name of the database in `DATA_DIR`, where no other is named."""

AUDIT_KEY_LENGTH_MIN = 32
"""Shortest `AUDIT_KEY`, in bytes."""


class LinkStyle(StrEnum):
    """What a link holds."""

    JWT = "jwt"
    SHORT = "short"


class AuditStudies(StrEnum):
    """How the audit trail names studies."""

    PLAIN = "plain"
    HASHED = "hashed"


class RegistrySettings(SettingsBase):
    """What the registry takes; nothing of it counts while `registry` is off."""

    database_url: Annotated[
        SecretStr | None,
        Field(description="`postgresql://user:password@host/name`, or SQLite's file"),
    ] = None
    data_dir: Annotated[
        Path,
        Field(description="Folder of the SQLite file where `DATABASE_URL` is not set"),
    ] = Path("data")
    revocation_lag: Annotated[
        Duration,
        Field(
            description="Longest time until the plugin knows of a revocation",
            ge=timedelta(seconds=1),
            le=timedelta(days=1),
        ),
    ] = timedelta(seconds=60)
    registry_grace: RegistryGrace = REGISTRY_GRACE
    viewer_token_duration: Annotated[
        Duration,
        Field(
            description="How long a viewer works after a link was opened",
            ge=timedelta(minutes=1),
            le=timedelta(days=7),
        ),
    ] = timedelta(hours=4)
    link_style: Annotated[
        LinkStyle,
        Field(description="`short` (no token, no UID in it) or `jwt` (the token)"),
    ] = LinkStyle.JWT
    retention_never_opened: Annotated[
        Duration,
        Field(description="How long shares are kept after their end: never opened"),
    ] = timedelta(days=1)
    retention_opened: Annotated[
        Duration | None,
        Field(description="The same for those that were opened; 0: for ever"),
    ] = timedelta(days=365)
    audit_key: Annotated[
        SecretStr | None,
        Field(description="Makes the audit trail unforgeable, ≥ 32 bytes; keep it"),
    ] = None
    audit_studies: Annotated[
        AuditStudies,
        Field(description="UIDs in the audit trail: `plain`, or `hashed` by its key"),
    ] = AuditStudies.PLAIN
    password_tries: Annotated[
        int, Field(description="Wrong passwords until a pause", ge=1, le=100)
    ] = 5
    password_pause: Annotated[
        Duration,
        Field(
            description="The first pause; each is twice the one before",
            ge=timedelta(seconds=1),
            le=timedelta(hours=24),
        ),
    ] = timedelta(minutes=1)

    def registry_options(self) -> RegistryOptions:
        """Return how the registry works."""
        key = None if self.audit_key is None else self.audit_key.get_secret_value()
        audit_key = None if key is None else key.encode()
        is_hashed = self.audit_studies is AuditStudies.HASHED
        return RegistryOptions(
            url=self._url(),
            grace=self.registry_grace,
            view_duration=self.viewer_token_duration,
            retention=Retention(
                never_used=self.retention_never_opened,
                used=self.retention_opened or None,
            ),
            limits=TryLimits(tries=self.password_tries, pause=self.password_pause),
            audit_key=audit_key,
            study_key=audit_key if is_hashed else None,
        )

    def make_data_dir(self) -> None:
        """Make the folder of the database, for this account alone.

        Raises:
            OSError: It cannot be made.
        """
        if self.database_url is None:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _url(self) -> str:
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir / DATABASE_FILE}"

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        yield from problems_of(lambda: parse_url(self._url()))
        if self.audit_key is not None:
            key = self.audit_key.get_secret_value()
            yield from weaknesses("AUDIT_KEY", key, AUDIT_KEY_LENGTH_MIN)
        elif self.audit_studies is AuditStudies.HASHED:
            yield "AUDIT_KEY is missing: AUDIT_STUDIES=hashed needs it."
