"""Settings of the anonymizer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.settings import AskingSettings
from orthanc_share.config.values import REGISTRY_GRACE, Duration, RegistryGrace, Root
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Required:
    """What must be set where anonymized shares are set up.

    Args:
        key: De-identification key.
        public_root: Public address of the anonymizer.
        orthanc_root: Address of Orthanc.
    """

    key: bytes = field(repr=False)
    public_root: str
    orthanc_root: str


class AnonymizerSettings(AskingSettings):
    """What the anonymizer takes."""

    orthanc_root: Annotated[
        Root | None, Field(description="Address of Orthanc behind the anonymizer")
    ] = None
    orthanc_username: Annotated[
        str | None, Field(description="User with whom the anonymizer asks Orthanc")
    ] = None
    orthanc_password: Annotated[
        SecretStr | None, Field(description="Password of `ORTHANC_USERNAME`")
    ] = None
    orthanc_pass_token: Annotated[
        bool,
        Field(
            description="Whether Orthanc gets the share's token, in the header "
            "`token`, for its authorization plugin"
        ),
    ] = False
    orthanc_timeout: Annotated[
        Duration,
        Field(description="Longest wait for a piece of Orthanc's answer"),
    ] = timedelta(seconds=30)
    deidentification_profile: Annotated[
        Path | None,
        Field(description="TOML file: what else may be kept, and how; else nothing is"),
    ] = None
    anonymizer_max_concurrency: Annotated[
        int,
        Field(description="Requests that may read from Orthanc at once", ge=1, le=1000),
    ] = 64

    registry_grace: RegistryGrace = REGISTRY_GRACE

    def is_in_use(self) -> bool:
        """Tell whether anonymized shares are set up."""
        return self.public_anonymized_orthanc_root is not None

    def required(self) -> "Required":
        """Return what must be set where anonymized shares are set up.

        Raises:
            ConfigurationError: Something is missing.
        """
        key, public, root = (
            self.deidentification_key,
            self.public_anonymized_orthanc_root,
            self.orthanc_root,
        )
        if key is None or public is None or root is None:
            raise ConfigurationError(list(self.contradictions()))
        return Required(key.get_secret_value().encode(), public, root)

    def credentials(self) -> tuple[str, str] | None:
        """Return user name and password for Orthanc."""
        name, password = self.orthanc_username, self.orthanc_password
        if name is None or password is None:
            return None
        return name, password.get_secret_value()

    def profile(self) -> Profile:
        """Return what this site keeps.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        path = self.deidentification_profile
        return Profile() if path is None else Profile.from_toml(path)

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if self.is_in_use() and self.orthanc_root is None:
            yield "ORTHANC_ROOT is missing: anonymized shares are set up."
        if (self.orthanc_username is None) != (self.orthanc_password is None):
            yield (
                "ORTHANC_USERNAME and ORTHANC_PASSWORD belong together: "
                "set both or none."
            )
        try:
            self.profile()
        except ConfigurationError as error:
            yield from error.problems

    @override
    def warnings(self) -> Iterator[str]:
        """Yield a line for each setting that is possible, but hardly meant so."""
        yield from super().warnings()
        if self.signing_key is not None:
            yield "SIGNING_KEY: not needed here, VERIFICATION_KEYS suffices."
