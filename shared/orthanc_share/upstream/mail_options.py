"""How and to whom mail may be sent: the site's `EMAILS_*` settings in our terms."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.upstream.mail_addresses import (
    AddressError,
    Mailbox,
    address,
    has_control_characters,
    mailbox,
)


class TlsMode(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    """Asked for after connecting, and insisted on (RFC 3207)."""

    IMPLICIT = "implicit"
    """From the first byte (RFC 8314)."""

    NONE = "none"
    """Not at all; only for a relay on the same machine."""

    @property
    def default_port(self) -> int:
        """The port that is usual for this mode."""
        return {"starttls": 587, "implicit": 465, "none": 25}[self.value]

    @classmethod
    def parse(cls, text: str) -> "TlsMode":
        """Return the mode that `EMAILS_SMTP_SERVER_USES_TLS` names, in any case.

        The predecessor took every text but `false` for STARTTLS, also `no` and `0`.

        Raises:
            ValueError: It names none.
        """
        word = text.strip().lower()
        for mode, words in _WORDS.items():
            if word in words:
                return mode
        raise ValueError("must be true (STARTTLS), implicit, or false")


_WORDS = {
    TlsMode.STARTTLS: {"true", "1", "yes", "on", "starttls"},
    TlsMode.IMPLICIT: {"implicit", "ssl", "smtps"},
    TlsMode.NONE: {"false", "0", "no", "off", "none"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """The settings of the mail server, checked together.

    Args:
        host: Mail server (`EMAILS_SMTP_SERVER_HOSTNAME`).
        sender: `Name <address>` or an address (`EMAILS_SENDER_ADDRESS`).
        reply_to: Where answers go; None is the sender (`EMAILS_REPLY_TO`).
        port: None is the usual one of the mode (`EMAILS_SMTP_SERVER_PORT`).
        tls: Encryption (`EMAILS_SMTP_SERVER_USES_TLS`).
        ca: Certificates of a private authority, PEM; None trusts the system's
            (`EMAILS_SMTP_SERVER_CA`).
        user_name: None means no login (`EMAILS_SMTP_SERVER_USER_NAME`).
        password: `EMAILS_SMTP_SERVER_PWD`.
        timeout: Of each step (`EMAILS_SMTP_SERVER_TIMEOUT`).
        delivery_timeout: Of all steps of one call together; Orthanc, which waits for
            us, gives up after 60 s.
        max_recipients: Of one call (`EMAILS_MAX_RECIPIENTS`).
        max_per_minute: Mails of one process (`EMAILS_MAX_PER_MINUTE`).
        max_size: Characters of one mail's HTML (`EMAILS_MAX_SIZE`).
        allowed_domains: `example.org` or `*.example.org`, none is all
            (`EMAILS_ALLOWED_DOMAINS`).

    Raises:
        ConfigurationError: All that is wrong, one line per mistake.
    """

    host: str
    sender: str
    reply_to: str | None = None
    port: int | None = None
    tls: TlsMode = TlsMode.STARTTLS
    ca: str | None = None
    user_name: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: timedelta = timedelta(seconds=10)
    delivery_timeout: timedelta = timedelta(seconds=45)
    max_recipients: int = 20
    max_per_minute: int = 60
    max_size: int = 262_144
    allowed_domains: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        problems = [*self._server_problems(), *self._policy_problems()]
        if problems:
            raise ConfigurationError(problems)

    @property
    def sender_mailbox(self) -> Mailbox:
        """The sender, parsed."""
        return mailbox(self.sender)

    @property
    def reply_mailbox(self) -> Mailbox:
        """Where answers go, parsed."""
        return mailbox(self.reply_to or self.sender)

    @property
    def server_port(self) -> int:
        """The port to connect to."""
        return self.port if self.port is not None else self.tls.default_port

    @property
    def sends_password_unencrypted(self) -> bool:
        """Whether anybody on the way can read the password."""
        return self.tls is TlsMode.NONE and self.user_name is not None

    def _server_problems(self) -> Iterator[str]:
        """Check what concerns the connection."""
        if not _is_host(self.host):
            yield "EMAILS_SMTP_SERVER_HOSTNAME is no host name."
        if not 0 < self.server_port < 65_536:  # noqa: PLR2004 -- ports are 16 bits
            yield "EMAILS_SMTP_SERVER_PORT must be between 1 and 65535."
        if (self.user_name is None) != (self.password is None):
            yield (
                "EMAILS_SMTP_SERVER_USER_NAME and EMAILS_SMTP_SERVER_PWD"
                " belong together: set both or none."
            )
        if self.timeout <= timedelta(0):
            yield "EMAILS_SMTP_SERVER_TIMEOUT must be more than 0 seconds."

    def _policy_problems(self) -> Iterator[str]:
        """Check what concerns the mails."""
        boxes = {"EMAILS_SENDER_ADDRESS": self.sender, "EMAILS_REPLY_TO": self.reply_to}
        for name, text in boxes.items():
            if text is not None and not _is_mailbox(text):
                yield f"{name} is no e-mail address."
        if self.max_recipients < 1:
            yield "EMAILS_MAX_RECIPIENTS must be at least 1."
        if self.max_per_minute < self.max_recipients:
            yield "EMAILS_MAX_PER_MINUTE must be at least EMAILS_MAX_RECIPIENTS."
        if self.max_size < 1:
            yield "EMAILS_MAX_SIZE must be at least 1."
        if not all(map(_is_domain_rule, self.allowed_domains)):
            yield (
                "EMAILS_ALLOWED_DOMAINS must list domains in lower case,"
                " such as example.org or *.example.org."
            )


def _is_host(text: str) -> bool:
    """Whether a resolver can be asked for it."""
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return bool(text) and not has_control_characters(text) and " " not in text


def _is_mailbox(text: str) -> bool:
    """Whether mail can come from there."""
    try:
        mailbox(text)
    except AddressError:
        return False
    return True


def _is_domain_rule(text: str) -> bool:
    """Whether it can match the domain of a checked address."""
    domain = text.removeprefix("*.")
    try:
        return address(f"postmaster@{domain}") == f"postmaster@{domain}"
    except AddressError:
        return False
