"""Hands finished mails to the mail server, and says in our words what came of it."""

import contextlib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from enum import StrEnum

import aiosmtplib

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.upstream.mail_options import MailOptions, TlsMode

FAREWELL_TIMEOUT = timedelta(seconds=2)
"""How long the server may take to answer QUIT, after which nothing depends on it."""


class Refusal(StrEnum):
    """Why mail was not sent, for log and metrics."""

    INVALID_RECIPIENT = "invalid_recipient"
    TOO_MANY_RECIPIENTS = "too_many_recipients"
    DOMAIN_NOT_ALLOWED = "domain_not_allowed"
    INVALID_TITLE = "invalid_title"
    INVALID_CONTENT = "invalid_content"
    TOO_LARGE = "too_large"
    LAYOUT_UNUSABLE = "layout_unusable"
    RATE_LIMITED = "rate_limited"
    SERVER_UNAVAILABLE = "server_unavailable"
    SERVER_NOT_TRUSTED = "server_not_trusted"
    SERVER_UNSUITABLE = "server_unsuitable"
    LOGIN_REFUSED = "login_refused"
    MAIL_REFUSED = "mail_refused"


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail server accepted all mails.

    Args:
        recipients: How many.
    """

    recipients: int


@dataclass(frozen=True, slots=True)
class NotSent:
    """At least one recipient gets nothing.

    Args:
        reason: Stable code.
        details: What the sender is told; names no address and quotes no server.
        sent: How many mails were accepted all the same.
        status: The mail server's status code, if it said one.
    """

    reason: Refusal
    details: str
    sent: int = 0
    status: int | None = field(default=None, kw_only=True)


class Delivery:
    """One conversation with the mail server; whoever makes it closes it.

    Args:
        options: Where to and how.
        tls: Of `tls_context`.
    """

    def __init__(self, options: MailOptions, tls: ssl.SSLContext | None) -> None:
        self._sender = options.sender_mailbox.address
        self._client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.server_port,
            username=options.user_name,
            password=options.password,
            # Looking up the name of this machine could block for seconds.
            local_hostname=options.sender_mailbox.domain,
            timeout=options.timeout.total_seconds(),
            use_tls=options.tls is TlsMode.IMPLICIT,
            start_tls=options.tls is TlsMode.STARTTLS,
            tls_context=tls,
        )
        self._sent = 0
        self._refused: list[int] = []

    async def run(self, messages: Sequence[EmailMessage]) -> Sent | NotSent:
        """Connect and send everything."""
        try:
            await self._client.connect()
            for message in messages:
                await self._send(message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return self.failure(_reason(error), _status(error))
        if self._refused:
            return self.failure(Refusal.MAIL_REFUSED, self._refused[0])
        return Sent(self._sent)

    def failure(self, reason: Refusal, status: int | None = None) -> NotSent:
        """Return a failure that also tells what did go out."""
        details = _DETAILS[reason]
        if self._sent:
            details += f" Mails that went out all the same: {self._sent}."
        return NotSent(reason, details, self._sent, status=status)

    async def say_goodbye(self) -> None:
        """End the conversation politely; how the server takes it is of no interest."""
        with contextlib.suppress(aiosmtplib.SMTPException, OSError):
            await self._client.quit(timeout=FAREWELL_TIMEOUT.total_seconds())

    def close(self) -> None:
        """Drop the connection, if there is one."""
        self._client.close()

    async def _send(self, message: EmailMessage) -> None:
        """Send one mail; go on with the next if only this one is refused."""
        try:
            await self._client.sendmail(
                self._sender, [str(message["To"])], message.as_bytes()
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            self._refused.append(error.recipients[0].code)
        except aiosmtplib.SMTPDataError as error:
            self._refused.append(error.code)
        else:
            self._sent += 1


_DETAILS = {
    Refusal.SERVER_UNAVAILABLE: "The mail server cannot be reached or is too slow.",
    Refusal.SERVER_NOT_TRUSTED: "The mail server's certificate is not trusted.",
    Refusal.SERVER_UNSUITABLE: "The mail server does not offer what is configured.",
    Refusal.LOGIN_REFUSED: "The mail server refused our login.",
    Refusal.MAIL_REFUSED: "The mail server did not accept the mail.",
}
"""What the sender is told when the trouble is not his."""


def _reason(error: Exception) -> Refusal:
    """Sort what aiosmtplib raises into our reasons."""
    # aiosmtplib wraps what goes wrong in the handshake, but not after STARTTLS.
    if isinstance(error.__cause__, ssl.SSLError):
        error = error.__cause__
    match error:
        case ssl.SSLCertVerificationError():
            return Refusal.SERVER_NOT_TRUSTED
        case ssl.SSLError():
            return Refusal.SERVER_UNSUITABLE
        case aiosmtplib.SMTPAuthenticationError():
            return Refusal.LOGIN_REFUSED
        case aiosmtplib.SMTPSenderRefused():
            return Refusal.MAIL_REFUSED
        case OSError() | aiosmtplib.SMTPResponseException():
            return Refusal.SERVER_UNAVAILABLE
        case _:
            return Refusal.SERVER_UNSUITABLE


def _status(error: Exception) -> int | None:
    """Return the status code that the mail server gave, without its text."""
    return error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None


def tls_context(options: MailOptions) -> ssl.SSLContext | None:
    """Return the context that verifies the mail server; None without encryption.

    Raises:
        ConfigurationError: The certificates of the private authority are none.
    """
    if options.tls is TlsMode.NONE:
        return None
    try:
        return ssl.create_default_context(cadata=options.ca)
    except (OSError, TypeError, ValueError):
        problem = "EMAILS_SMTP_SERVER_CA holds no PEM certificates."
        raise ConfigurationError([problem]) from None
