"""Sends a share's link by e-mail, as Orthanc Explorer 2 asks for it (protocol B.7).

Every recipient gets a mail of his own. What the mail server says stays here: the
caller gets a reason in our words, the log its status code, and neither an address.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP as WIRE_POLICY
from email.utils import make_msgid

from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.upstream.mail_addresses import (
    AddressError,
    addresses,
    has_control_characters,
    is_allowed,
)
from orthanc_share.upstream.mail_content import PLACEHOLDER, page, sanitize, to_text
from orthanc_share.upstream.mail_delivery import (
    Delivery,
    NotSent,
    Refusal,
    Sent,
    tls_context,
)
from orthanc_share.upstream.mail_options import MailOptions
from orthanc_share.upstream.mail_templates import MailTemplates
from orthanc_share.upstream.rate_limit import SlidingWindow
from orthanc_share.upstream.single_flight import Monotonic

TITLE_MAX_CHARS = 250
"""Longest subject; mail programs show far less."""

_ENCODED_WORD = "=?"
"""Begins text of RFC 2047. Python decodes it before it writes the header, and older
versions (3.11.9 and before) then write the line breaks in it as they are."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, repr=False)
class Mail:
    """What a user wants to send.

    Args:
        to: Addresses as typed, separated by `;`, `,` or white space.
        title: Subject.
        content: HTML that the user edited.
        layout: Name of the template around it; None or empty is a plain page.
    """

    to: str
    title: str
    content: str
    layout: str | None = None


class Mailer:
    """Sends mails through one mail server.

    Args:
        options: The site's settings.
        templates: For layouts.
        clock: For the mails' date.
        monotonic: For the rate limit, in seconds.

    Raises:
        ConfigurationError: The certificates of the mail server cannot be read.
    """

    def __init__(
        self,
        options: MailOptions,
        templates: MailTemplates,
        *,
        clock: Clock = utc_now,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._options = options
        self._templates = templates
        self._clock = clock
        self._tls = tls_context(options)
        self._rate = SlidingWindow(
            options.max_per_minute, timedelta(minutes=1), monotonic
        )
        if options.sends_password_unencrypted:
            _log.warning("The mail server's password travels without encryption.")

    @property
    def templates(self) -> MailTemplates:
        """The site's templates."""
        return self._templates

    async def send(self, mail: Mail) -> Sent | NotSent:
        """Send one mail to each recipient.

        Raises:
            TemplateNotFoundError: There is no such layout.
        """
        checked = self._checked_recipients(mail)
        if isinstance(checked, NotSent):
            return _logged(checked, [])
        html = await asyncio.to_thread(self._html, mail)
        if isinstance(html, NotSent):
            return _logged(html, checked)
        if not self._rate.take(len(checked)):
            return _logged(_RATE_LIMITED, checked)
        text = await asyncio.to_thread(to_text, html)
        messages = [self._message(to, mail.title, html, text) for to in checked]
        return _logged(await self._deliver(messages), checked)

    def _checked_recipients(self, mail: Mail) -> list[str] | NotSent:
        """Return the recipients of a mail that may be sent, or why it may not."""
        try:
            to = addresses(mail.to)
        except AddressError as error:
            return NotSent(Refusal.INVALID_RECIPIENT, str(error))
        if not to:
            return NotSent(Refusal.INVALID_RECIPIENT, "There is no recipient.")
        if len(to) > self._options.max_recipients:
            most = self._options.max_recipients
            details = f"There are more than {most} recipients."
            return NotSent(Refusal.TOO_MANY_RECIPIENTS, details)
        for place, one in enumerate(to, start=1):
            if not is_allowed(one.rpartition("@")[2], self._options.allowed_domains):
                details = f"Mail to the domain of recipient {place} is not allowed."
                return NotSent(Refusal.DOMAIN_NOT_ALLOWED, details)
        return self._title_refusal(mail.title.strip()) or to

    def _title_refusal(self, title: str) -> NotSent | None:
        """Say why a subject cannot be sent."""
        if not title:
            return NotSent(Refusal.INVALID_TITLE, "There is no subject.")
        if len(title) > TITLE_MAX_CHARS or has_control_characters(title):
            details = "The subject is too long or has control characters."
            return NotSent(Refusal.INVALID_TITLE, details)
        if _ENCODED_WORD in title:
            details = f"The subject must not contain {_ENCODED_WORD}"
            return NotSent(Refusal.INVALID_TITLE, details)
        return None

    def _html(self, mail: Mail) -> str | NotSent:
        """Return the mail's whole page, or why there is none."""
        if len(mail.content) > self._options.max_size:
            return NotSent(Refusal.TOO_LARGE, "The mail is too large.")
        try:
            content = sanitize(mail.content)
        except UnicodeEncodeError:
            return NotSent(Refusal.INVALID_CONTENT, "The mail is no valid text.")
        if not to_text(content).strip():
            return NotSent(Refusal.INVALID_CONTENT, "There is no content.")
        layout = self._templates.read(mail.layout) if mail.layout else None
        if layout is not None and PLACEHOLDER not in layout:
            details = "The layout template has no place for the content."
            return NotSent(Refusal.LAYOUT_UNUSABLE, details)
        return page(content, layout)

    def _message(self, to: str, title: str, html: str, text: str) -> EmailMessage:
        """Return the mail to one recipient (RFC 5322, RFC 2046 5.1.4)."""
        sender = self._options.sender_mailbox
        message = EmailMessage(policy=WIRE_POLICY)
        message["From"] = sender.to_header()
        message["To"] = to
        message["Reply-To"] = self._options.reply_mailbox.to_header()
        message["Subject"] = title.strip()
        message["Date"] = self._clock()
        # The default would put the name of this machine into every mail.
        message["Message-ID"] = make_msgid(domain=sender.domain)
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        return message

    async def _deliver(self, messages: Sequence[EmailMessage]) -> Sent | NotSent:
        """Hand the messages to the mail server, one after the other."""
        delivery = Delivery(self._options, self._tls)
        try:
            async with asyncio.timeout(self._options.delivery_timeout.total_seconds()):
                outcome = await delivery.run(messages)
            await delivery.say_goodbye()
        except TimeoutError:
            return delivery.failure(Refusal.SERVER_UNAVAILABLE)
        finally:
            delivery.close()
        return outcome


_RATE_LIMITED = NotSent(
    Refusal.RATE_LIMITED, "Too many mails in a short time; try again in a minute."
)


def _logged(outcome: Sent | NotSent, recipients: Sequence[str]) -> Sent | NotSent:
    """Leave a trace of every attempt: how many and which domains, never who."""
    domains = ", ".join(sorted({one.rpartition("@")[2] for one in recipients})) or "-"
    if isinstance(outcome, Sent):
        _log.info("Mail sent: %d recipients at %s.", outcome.recipients, domains)
    else:
        _log.warning(
            "Mail not sent: %s (mail server: %s); %d of %d recipients at %s.",
            *(outcome.reason.value, outcome.status or "-"),
            *(outcome.sent, len(recipients), domains),
        )
    return outcome
