"""A real mail server (aiosmtpd) on a free port of this machine, and its certificate."""

import asyncio
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVER_TEXT = "secret-of-the-mail-server"
"""Ends every refusal of the server; must never reach a user or a log."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail that the server accepted.

    Args:
        sender: Envelope sender.
        recipients: Envelope recipients.
        raw: As it came over the wire.
        is_encrypted: Whether it came over TLS.
        user: Who had logged in, if anybody.
    """

    sender: str
    recipients: list[str]
    raw: bytes
    is_encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return message_from_bytes(self.raw, policy=modern)

    def part(self, kind: str) -> str:
        """Return the text of the part `plain` or `html`."""
        body = self.message.get_body((kind,))
        assert isinstance(body, EmailMessage)
        return str(body.get_content()).replace("\r\n", "\n")


@dataclass(kw_only=True)
class Behaviour:
    """What the server wants, and what it refuses; may change while it runs.

    Args:
        login: User name and password that it insists on.
        tls: Offers STARTTLS, or with `implicit` speaks nothing but TLS.
        implicit: See `tls`.
        refused: Recipients that it does not know.
        refused_senders: Envelope senders that it does not take.
        refuses_mail: Whether it takes no mail at all.
        is_closing: Whether it breaks off at the next mail.
        is_rude: Whether it breaks off instead of a farewell.
    """

    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    refused: set[str] = field(default_factory=set)
    refused_senders: set[str] = field(default_factory=set)
    refuses_mail: bool = False
    is_closing: bool = False
    is_rude: bool = False


class MailServer:
    """The mail server; use as context manager.

    Args:
        behaviour: What it wants.

    Attributes:
        behaviour: Change it at any time.
        deliveries: Accepted mails, in their order.
        connections: How many connections there were.
        farewells: How many of them were ended by QUIT.
    """

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour if behaviour is not None else Behaviour()
        self.deliveries: list[Delivery] = []
        self.connections = 0
        self.farewells = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(),)
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()
        self._socket.close()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        tls = self.behaviour.tls if self.behaviour.implicit else None
        server = await loop.create_server(self._protocol, sock=self._socket, ssl=tls)
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _protocol(self) -> SMTP:
        self.connections += 1
        behaviour = self.behaviour
        return SMTP(
            _Handler(self),
            hostname="mail.example.org",
            ident="test",
            tls_context=None if behaviour.implicit else behaviour.tls,
            # Wrong for the real world, but what is tested here; `handle_MAIL`
            # insists on the login, because aiosmtpd would warn.
            auth_require_tls=False,
            auth_exclude_mechanism=(
                None if behaviour.login is not None else ["LOGIN", "PLAIN"]
            ),
            authenticator=self._authenticate,
        )

    def _authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        auth_data: Any,
    ) -> AuthResult:
        assert isinstance(auth_data, LoginPassword)
        given = (auth_data.login.decode(), auth_data.password.decode())
        if given == self.behaviour.login:
            return AuthResult(success=True, auth_data=given[0])
        refusal = f"535 5.7.8 {SERVER_TEXT}"
        return AuthResult(success=False, handled=False, message=refusal)


class _Handler:
    """Answers to the commands of one connection; aiosmtpd finds them by name."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_MAIL(  # noqa: N802 -- named by aiosmtpd
        self,
        _server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take or refuse a sender."""
        if self._server.behaviour.login is not None and not session.authenticated:
            return f"530 5.7.0 {SERVER_TEXT}"
        if address in self._server.behaviour.refused_senders:
            return f"553 5.7.1 {SERVER_TEXT}"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 -- named by aiosmtpd
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take or refuse a recipient."""
        if address in self._server.behaviour.refused:
            return f"550 5.1.1 {address} {SERVER_TEXT}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 -- named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take or refuse a mail."""
        behaviour = self._server.behaviour
        transport = cast(asyncio.Transport, server.transport)
        if behaviour.is_closing:
            transport.abort()
        if behaviour.refuses_mail:
            return f"554 5.6.0 {SERVER_TEXT}"
        delivery = Delivery(
            str(envelope.mail_from),
            list(envelope.rcpt_tos),
            cast(bytes, envelope.content),
            transport.get_extra_info("ssl_object") is not None,
            session.auth_data,
        )
        self._server.deliveries.append(delivery)
        return "250 OK"

    async def handle_QUIT(  # noqa: N802 -- named by aiosmtpd
        self, server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        """Count a farewell, and answer it or not."""
        self._server.farewells += 1
        if self._server.behaviour.is_rude:
            cast(asyncio.Transport, server.transport).abort()
        return "221 Bye"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-made certificate for `localhost` and 127.0.0.1.

    Args:
        pem: What a client has to trust.
        context: For a server.
    """

    pem: str
    context: ssl.SSLContext


def self_made_certificate(folder: Path) -> Certificate:
    """Make a certificate that is its own authority; its files go to `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = _sign(key).public_bytes(serialization.Encoding.PEM)
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return Certificate(pem.decode(), context)


def _sign(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    # Python 3.13 wants to know what an authority's key is for (RFC 5280 4.2.1.3).
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    now = dt.datetime.now(dt.UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder(name, name, public, x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public), critical=False
        )
    )
    return builder.sign(key, hashes.SHA256())
