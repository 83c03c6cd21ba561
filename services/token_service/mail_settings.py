"""Settings of the letters that the share dialog sends."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.sources import SettingsBase, problems_of
from orthanc_share.config.values import Duration, Texts
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.upstream.mail_delivery import tls_context
from orthanc_share.upstream.mail_options import MailOptions, TlsMode
from orthanc_share.upstream.mail_templates import MailTemplates


class MailSettings(SettingsBase):
    """What `/emails/*` takes; nothing of it counts while `enable_emails` is off."""

    enable_emails: Annotated[
        bool, Field(description="Whether letters are sent (`/emails/*`)")
    ] = False
    emails_templates_root: Annotated[
        Path, Field(description="Folder of `*.html` templates")
    ] = Path("/email-templates/")
    emails_sender_address: Annotated[
        str | None, Field(description="`Name <address>` of the sender")
    ] = None
    emails_reply_to: Annotated[
        str | None, Field(description="Where answers go; default: the sender")
    ] = None
    emails_smtp_server_hostname: Annotated[
        str | None, Field(description="Mail server")
    ] = None
    emails_smtp_server_port: Annotated[
        int | None, Field(description="Its port; default: the usual one")
    ] = None
    emails_smtp_server_uses_tls: Annotated[
        str, Field(description="`true` (STARTTLS), `implicit` or `false`")
    ] = "true"
    emails_smtp_server_ca: Annotated[
        str | None, Field(description="Certificates of a private authority (PEM)")
    ] = None
    emails_smtp_server_user_name: Annotated[
        str | None, Field(description="Login; empty: none")
    ] = None
    emails_smtp_server_pwd: Annotated[
        SecretStr | None, Field(description="Password of the login")
    ] = None
    emails_smtp_server_timeout: Annotated[
        Duration, Field(description="Longest wait for each step")
    ] = timedelta(seconds=10)
    emails_max_recipients: Annotated[
        int, Field(description="Most recipients of one letter")
    ] = 20
    emails_max_per_minute: Annotated[
        int, Field(description="Most mails a minute, each process")
    ] = 60
    emails_max_size: Annotated[
        int, Field(description="Longest letter, in characters of HTML")
    ] = 262_144
    emails_allowed_domains: Annotated[
        Texts, Field(description="Domains that get mail; empty: all")
    ] = ()

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if self.enable_emails:
            yield from problems_of(
                lambda: MailTemplates(self.emails_templates_root),
                lambda: tls_context(self.mail_options()),
            )

    def mail_options(self) -> MailOptions:
        """Return the settings of the mail server.

        Raises:
            ConfigurationError: Something is missing or wrong.
        """
        password = self.emails_smtp_server_pwd
        return MailOptions(
            host=_given(self.emails_smtp_server_hostname, "SMTP_SERVER_HOSTNAME"),
            sender=_given(self.emails_sender_address, "SENDER_ADDRESS"),
            reply_to=self.emails_reply_to,
            port=self.emails_smtp_server_port,
            tls=_tls(self.emails_smtp_server_uses_tls),
            ca=self.emails_smtp_server_ca,
            user_name=self.emails_smtp_server_user_name,
            password=None if password is None else password.get_secret_value(),
            max_recipients=self.emails_max_recipients,
            max_per_minute=self.emails_max_per_minute,
            max_size=self.emails_max_size,
            allowed_domains=frozenset(d.lower() for d in self.emails_allowed_domains),
            timeout=self.emails_smtp_server_timeout,
        )


def _given(text: str | None, name: str) -> str:
    if text is None:
        raise ConfigurationError([f"EMAILS_{name} is missing: e-mails are enabled."])
    return text


def _tls(text: str) -> TlsMode:
    try:
        return TlsMode.parse(text)
    except ValueError as error:
        problem = f"EMAILS_SMTP_SERVER_USES_TLS: {error}."
        raise ConfigurationError([problem]) from None
