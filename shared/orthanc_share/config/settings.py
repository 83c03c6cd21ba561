"""Settings that more than one service needs."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from typing_extensions import override

from orthanc_share.config.sources import SettingsBase
from orthanc_share.config.values import (
    Address,
    Networks,
    Page,
    Root,
    SecretTexts,
    Texts,
)
from orthanc_share.domain.clock import to_utc
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.share import Flavour, ShareType
from orthanc_share.domain.viewer import OhifDataSource, ViewerRoots

LogLevel = Literal["debug", "info", "warning", "error"]
"""How much the log tells."""

_REGISTRY_ADDRESS_MISSING = (
    "TOKEN_SERVICE_URL is missing: token-service knows which links were revoked"
    " (or set REGISTRY=off)."
)
_LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1"}


def _share_types(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = set(names) - set(ShareType)
    if unknown:
        raise ValueError(f"knows only {', '.join(ShareType)}")
    return names


class ServiceSettings(SettingsBase):
    """What every service takes for its operation."""

    log_level: Annotated[
        LogLevel, Field(description="How much the log tells: debug, info, …")
    ] = "info"
    metrics: Annotated[
        bool, Field(description="Whether `GET /metrics` shows Prometheus metrics")
    ] = False


class SharingSettings(ServiceSettings):
    """Keys, addresses and servers: what token-service and landing must agree on."""

    ALIASES: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "server_identifier": ("SERVER_ID",)
    }

    trusted_proxies: Annotated[
        Networks,
        Field(description="Networks of proxies whose `X-Forwarded-For` is believed"),
    ] = ()
    registry: Annotated[
        bool, Field(description="Whether shares are kept, so that they can be revoked")
    ] = True
    secret_key: Annotated[
        SecretStr | None,
        Field(description="Shared secret for HS256, 32 bytes or more; signs"),
    ] = None
    secret_keys_retired: Annotated[
        SecretTexts,
        Field(description="Older shared secrets: their links keep working"),
    ] = ()
    signing_key: Annotated[
        SecretStr | None,
        Field(description="Ed25519 private key (PEM); signs instead of `SECRET_KEY`"),
    ] = None
    verification_keys: Annotated[
        SecretStr | None,  # public, but a private key may be put here by mistake
        Field(description="Ed25519 public keys (PEM), newest and retired ones"),
    ] = None
    deidentification_key: Annotated[
        SecretStr | None,
        Field(description="Seals anonymized shares and their pseudonyms, ≥ 32 bytes"),
    ] = None
    accept_legacy_tokens: Annotated[
        bool, Field(description="Whether links of the predecessors keep working")
    ] = True
    legacy_tokens_until: Annotated[
        datetime | None,
        Field(description="When links of the predecessors stop working (ISO 8601)"),
    ] = None
    public_orthanc_root: Annotated[
        Root | None, Field(description="Public address of Orthanc for shares")
    ] = None
    server_identifier: Annotated[
        str | None,
        Field(description="`WebServiceIdentifier` of Orthanc for shares"),
    ] = None
    public_anonymized_orthanc_root: Annotated[
        Root | None, Field(description="Public address of the anonymizer")
    ] = None
    anonymized_server_identifier: Annotated[
        str | None,
        Field(description="`WebServiceIdentifier` of the anonymizer's Orthanc"),
    ] = None
    public_landing_root: Annotated[
        Page | None, Field(description="Public address of the landing page")
    ] = None
    public_ohif_root: Annotated[
        Root | None, Field(description="Public address of OHIF")
    ] = None
    ohif_data_source: Annotated[
        OhifDataSource, Field(description="How OHIF reads: dicom-web or dicom-json")
    ] = OhifDataSource.DICOM_WEB
    public_meddream_root: Annotated[
        Root | None, Field(description="Public address of MedDream")
    ] = None
    meddream_token_service_url: Annotated[
        Address | None,
        Field(description="Address of the generate route of MedDream's token service"),
    ] = None
    meddream_storage: Annotated[
        str, Field(description="Id of the storage in MedDream's configuration")
    ] = "Orthanc"
    meddream_timeout: Annotated[
        float,
        Field(description="Longest wait for MedDream's token service, s", gt=0, lt=9),
    ] = 4.0
    share_types: Annotated[
        Texts,
        AfterValidator(_share_types),
        Field(description="Share types on offer; empty: all that are set up"),
    ] = ()

    def viewer_roots(self) -> ViewerRoots:
        """Return the public addresses."""
        return ViewerRoots(
            orthanc=self.public_orthanc_root,
            anonymized_orthanc=self.public_anonymized_orthanc_root,
            landing=self.public_landing_root,
            ohif=self.public_ohif_root,
            ohif_data_source=self.ohif_data_source,
            meddream=self.public_meddream_root,
            enabled_types=frozenset(map(ShareType, self.share_types)) or None,
        )

    def servers(self) -> dict[Flavour, str | None]:
        """Return the flavours in use, each with the identifier of its Orthanc."""
        servers: dict[Flavour, str | None] = {}
        if self._is_standard_in_use():
            servers[Flavour.STANDARD] = self.server_identifier
        if self.public_anonymized_orthanc_root:
            servers[Flavour.ANONYMIZED] = self.anonymized_server_identifier
        return servers

    def _is_standard_in_use(self) -> bool:
        standard = [
            self.public_orthanc_root,
            self.public_ohif_root,
            self.public_meddream_root,
        ]
        return any(standard) or not self.public_anonymized_orthanc_root

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        yield from self._anonymized_contradictions()
        if bool(self.public_meddream_root) != bool(self.meddream_token_service_url):
            yield (
                "PUBLIC_MEDDREAM_ROOT and MEDDREAM_TOKEN_SERVICE_URL belong together: "
                "set both or none."
            )

    def _anonymized_contradictions(self) -> Iterator[str]:
        if not self.public_anonymized_orthanc_root:
            return
        if self.deidentification_key is None:
            yield "DEIDENTIFICATION_KEY is missing: anonymized shares are set up."
        standard, anonymized = self.server_identifier, self.anonymized_server_identifier
        if not anonymized:
            yield "ANONYMIZED_SERVER_IDENTIFIER is missing: anonymized shares need it."
        if self._is_standard_in_use():
            if not standard:
                yield "SERVER_IDENTIFIER is missing: both kinds of shares are set up."
            elif standard == anonymized:
                yield "ANONYMIZED_SERVER_IDENTIFIER must differ from SERVER_IDENTIFIER."

    @override
    def warnings(self) -> Iterator[str]:
        """Yield a line for each setting that is possible, but hardly meant so."""
        yield from super().warnings()
        for name, field in self.variables().items():
            value = getattr(self, field)
            if field.startswith("public_") and value and _is_open_http(value):
                yield f"{name}: http:// lets anybody on the way read the links."

    def legacy_until(self) -> datetime | None:
        """Return when the predecessors' tokens end, UTC."""
        until = self.legacy_tokens_until
        return None if until is None else to_utc(until)


class AskingSettings(SharingSettings):
    """Where a service without the registry's database asks about links."""

    token_service_url: Annotated[
        Root | None,
        Field(description="Address of token-service, which has the registry"),
    ] = None
    token_service_user: Annotated[
        str | None, Field(description="User with whom token-service is asked")
    ] = None
    token_service_password: Annotated[
        SecretStr | None, Field(description="Password of `TOKEN_SERVICE_USER`")
    ] = None

    def token_service_login(self) -> tuple[str, str] | None:
        """Return user name and password for token-service."""
        name, password = self.token_service_user, self.token_service_password
        if name is None or password is None:
            return None
        return name, password.get_secret_value()

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if (self.token_service_user is None) != (self.token_service_password is None):
            yield (
                "TOKEN_SERVICE_USER and TOKEN_SERVICE_PASSWORD belong together: "
                "set both or none."
            )

    def registry_address(self) -> str:
        """Return the address of token-service.

        Raises:
            ConfigurationError: There is none, although there is a registry.
        """
        if self.token_service_url is None:
            raise ConfigurationError([_REGISTRY_ADDRESS_MISSING])
        return self.token_service_url


def _is_open_http(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in _LOCAL_HOSTS
