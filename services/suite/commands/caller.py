"""Which token-service is asked, and as whom."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.sources import SettingsBase
from orthanc_share.config.values import Root
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.upstream.client import Timeouts, create_client
from orthanc_share.upstream.management import ManagementClient
from suite.commands.prompts import ask, ask_secret, has_terminal

ANSWER_WITHIN = timedelta(minutes=10)
"""Longest wait for an answer: to revoke a hundred thousand shares takes a while."""


class CallerSettings(SettingsBase):
    """What the command line takes; each can be a file too (`…_FILE`)."""

    orthanc_share_url: Annotated[
        Root, Field(description="Address of token-service")
    ] = "http://localhost:8000/"
    orthanc_share_user: Annotated[
        str | None, Field(description="One of its `USERS`")
    ] = None
    orthanc_share_password: Annotated[
        SecretStr | None, Field(description="The user's password; else it is asked for")
    ] = None
    orthanc_share_ca: Annotated[
        str | None, Field(description="Certificates (PEM) to trust beside the usual")
    ] = None

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if ":" in (self.orthanc_share_user or ""):
            yield "ORTHANC_SHARE_USER: HTTP Basic cannot carry a colon."
        if self.orthanc_share_user is None and self.orthanc_share_password is not None:
            yield "ORTHANC_SHARE_USER is missing: there is a password."
        try:
            self.tls()
        except ConfigurationError as error:
            yield from error.problems

    def tls(self) -> ssl.SSLContext | None:
        """Return whom to trust; None: as usual.

        Raises:
            ConfigurationError: There is no certificate.
        """
        if self.orthanc_share_ca is None:
            return None
        context = ssl.create_default_context()
        # Between certificates there may be any text (RFC 7468 2); ssl takes ASCII.
        pem = self.orthanc_share_ca.encode("ascii", "ignore").decode("ascii")
        try:
            context.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError):
            problem = "ORTHANC_SHARE_CA: holds no certificate in PEM."
            raise ConfigurationError([problem]) from None
        return context

    def login(self) -> tuple[str, str] | None:
        """Return user name and password; None: there is no user."""
        if self.orthanc_share_user is None:
            return None
        secret = self.orthanc_share_password
        password = "" if secret is None else secret.get_secret_value()
        return self.orthanc_share_user, password


def caller() -> CallerSettings:
    """Return the settings of this process; what is missing is asked for.

    Raises:
        ConfigurationError: Something is wrong, or missing and nobody can be asked.
    """
    settings = CallerSettings.load()
    if has_terminal():
        return _completed(settings)
    if settings.orthanc_share_user and settings.orthanc_share_password is None:
        raise ConfigurationError(["ORTHANC_SHARE_PASSWORD is missing."])
    return settings


def _completed(settings: CallerSettings) -> CallerSettings:
    user, password = settings.orthanc_share_user, settings.orthanc_share_password
    if user is None:
        user = ask("User of token-service (none: just Enter)") or None
    if user is not None and password is None:
        password = SecretStr(ask_secret(f"Password of {user}"))
    return settings.model_copy(
        update={"orthanc_share_user": user, "orthanc_share_password": password}
    )


@asynccontextmanager
async def connected(settings: CallerSettings) -> AsyncIterator[ManagementClient]:
    """Give a client of token-service, which is closed at the end of the block."""
    http = create_client(
        base_url=settings.orthanc_share_url,
        auth=settings.login(),
        tls=settings.tls(),
        max_connections=4,
        timeouts=Timeouts(read=ANSWER_WITHIN),
    )
    async with http:
        yield ManagementClient(http)
