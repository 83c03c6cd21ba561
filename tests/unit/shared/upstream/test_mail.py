"""Mails leave through a real mail server, or the sender learns why not (A61-A68)."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.domain.errors import ConfigurationError, TemplateNotFoundError
from orthanc_share.upstream.mail import Mail, Mailer
from orthanc_share.upstream.mail_delivery import NotSent, Refusal, Sent
from orthanc_share.upstream.mail_options import MailOptions, TlsMode
from orthanc_share.upstream.mail_templates import MailTemplates
from tests.support.smtp import (
    SERVER_TEXT,
    Behaviour,
    Certificate,
    MailServer,
    self_made_certificate,
)

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
LINK = "https://share.example.org/welcome/?token=secret.token"
MAIL = Mail("ann@example.org", "Your images", f'<p>See <a href="{LINK}">here</a></p>')


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_made_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def templates(tmp_path: Path) -> MailTemplates:
    layout = "<body><h1>Clinic</h1>{email-content}</body>"
    (tmp_path / "letter.html").write_text(layout, "utf-8")
    (tmp_path / "bare.html").write_text("<body></body>", "utf-8")
    return MailTemplates(tmp_path)


class Post:
    """Makes mailers for a server."""

    def __init__(self, templates: MailTemplates) -> None:
        self.templates = templates
        self.now = 0.0

    def mailer(self, server: MailServer, **changes: Any) -> Mailer:
        """Return a mailer; without changes it has no encryption and no login."""
        options = MailOptions(
            host="127.0.0.1",
            port=server.port,
            sender='"Röntgen, Clinic" <share@example.org>',
            tls=TlsMode.NONE,
        )
        return Mailer(
            replace(options, **changes),
            self.templates,
            clock=lambda: NOW,
            monotonic=lambda: self.now,
        )


@pytest.fixture
def post(templates: MailTemplates) -> Post:
    return Post(templates)


async def test_a_mail_arrives_as_html_and_as_text(
    post: Post, server: MailServer
) -> None:
    assert await post.mailer(server).send(MAIL) == Sent(1)
    (delivery,) = server.deliveries
    assert delivery.sender == "share@example.org"
    assert delivery.recipients == ["ann@example.org"]
    assert f'href="{LINK}"' in delivery.part("html")
    assert delivery.part("plain") == f"See here <{LINK}>\n"
    assert delivery.message.get_content_type() == "multipart/alternative"


async def test_a_mail_has_the_headers_of_a_good_one(
    post: Post, server: MailServer
) -> None:
    mailer = post.mailer(server, reply_to="Help <help@example.org>")
    await mailer.send(replace(MAIL, title=" Ihre Bilder: Größe, 日本語 " + "x" * 200))
    message = server.deliveries[0].message
    assert message["From"] == '"Röntgen, Clinic" <share@example.org>'
    assert message["To"] == "ann@example.org"
    assert message["Reply-To"] == "Help <help@example.org>"
    assert message["Subject"] == "Ihre Bilder: Größe, 日本語 " + "x" * 200
    assert message["Date"].datetime == NOW
    assert message["Message-ID"].endswith("@example.org>")
    assert message["MIME-Version"] == "1.0"


async def test_a_mail_fits_every_mail_server(post: Post, server: MailServer) -> None:
    content = "<p>" + "Grüße " * 2000 + "</p>\r<p>x\r\ny\nz</p>"
    await post.mailer(server).send(replace(MAIL, content=content))
    raw = server.deliveries[0].raw
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_recipients_do_not_see_each_other(post: Post, server: MailServer) -> None:
    mail = replace(MAIL, to="ann@example.org; bob@example.com, ann@example.org")
    assert await post.mailer(server).send(mail) == Sent(2)
    assert [d.recipients for d in server.deliveries] == [
        ["ann@example.org"],
        ["bob@example.com"],
    ]
    assert b"bob" not in server.deliveries[0].raw
    assert b"ann" not in server.deliveries[1].raw
    assert server.connections == 1


@pytest.mark.parametrize("is_rude", [False, True])
async def test_the_conversation_ends_politely_whatever_the_server_does(
    post: Post, server: MailServer, *, is_rude: bool
) -> None:
    server.behaviour.is_rude = is_rude
    assert await post.mailer(server).send(MAIL) == Sent(1)
    assert server.farewells == 1


async def test_a_layout_surrounds_the_content(post: Post, server: MailServer) -> None:
    await post.mailer(server).send(replace(MAIL, layout="letter"))
    html = server.deliveries[0].part("html")
    assert html.startswith("<body><h1>Clinic</h1><p>See")
    assert server.deliveries[0].part("plain").startswith("Clinic\n\nSee here")


async def test_an_unknown_layout_is_not_found(post: Post, server: MailServer) -> None:
    mailer = post.mailer(server)
    for layout in ("unknown", "../letter", "/letter"):
        with pytest.raises(TemplateNotFoundError):
            await mailer.send(replace(MAIL, layout=layout))
    assert mailer.templates.names() == ["bare", "letter"]
    assert server.connections == 0


async def test_dangerous_html_does_not_leave(post: Post, server: MailServer) -> None:
    content = '<p onclick="x()">Hi<script>x()</script><img src="https://x.example"></p>'
    await post.mailer(server).send(replace(MAIL, content=content))
    assert "<body><p>Hi</p></body>" in server.deliveries[0].part("html")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": ""}, Refusal.INVALID_RECIPIENT),
        ({"to": " ; "}, Refusal.INVALID_RECIPIENT),
        ({"to": "nobody"}, Refusal.INVALID_RECIPIENT),
        ({"to": "a@example.org\r\nBcc: b@example.org"}, Refusal.INVALID_RECIPIENT),
        ({"to": "a@example.org b@example.org c@x.org"}, Refusal.TOO_MANY_RECIPIENTS),
        ({"to": "a@example.com"}, Refusal.DOMAIN_NOT_ALLOWED),
        ({"title": "  "}, Refusal.INVALID_TITLE),
        ({"title": "x" * 251}, Refusal.INVALID_TITLE),
        ({"title": "x\r\nBcc: b@example.org"}, Refusal.INVALID_TITLE),
        ({"title": "x\ud800"}, Refusal.INVALID_TITLE),
        ({"title": "=?utf-8?q?x=0d=0aBcc:_b=40c.example?="}, Refusal.INVALID_TITLE),
        ({"content": " "}, Refusal.INVALID_CONTENT),
        ({"content": "<img><script>x</script>"}, Refusal.INVALID_CONTENT),
        ({"content": "x\ud800"}, Refusal.INVALID_CONTENT),
        ({"content": "x" * 1001}, Refusal.TOO_LARGE),
        ({"layout": "bare"}, Refusal.LAYOUT_UNUSABLE),
    ],
)
async def test_a_mail_that_may_not_be_sent_is_refused_before_any_server_is_asked(
    changes: dict[str, str], reason: Refusal, post: Post, server: MailServer
) -> None:
    domains = frozenset({"example.org", "x.org"})
    mailer = post.mailer(
        server, max_recipients=2, max_size=1000, allowed_domains=domains
    )
    outcome = await mailer.send(replace(MAIL, **changes))
    assert isinstance(outcome, NotSent)
    assert outcome.reason is reason
    assert "b@example.org" not in outcome.details
    assert server.connections == 0


async def test_no_more_mails_than_allowed_leave_in_a_minute(
    post: Post, server: MailServer
) -> None:
    mailer = post.mailer(server, max_recipients=2, max_per_minute=3)
    two = replace(MAIL, to="a@example.org b@example.org")
    assert await mailer.send(two) == Sent(2)
    refused = await mailer.send(two)
    assert isinstance(refused, NotSent)
    assert refused.reason is Refusal.RATE_LIMITED
    assert await mailer.send(MAIL) == Sent(1)
    post.now = 60
    assert await mailer.send(two) == Sent(2)


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
async def test_an_encrypted_server_gets_the_login(
    mode: TlsMode, certificate: Certificate, post: Post
) -> None:
    behaviour = Behaviour(
        login=("share", "secret-password"),
        tls=certificate.context,
        implicit=mode is TlsMode.IMPLICIT,
    )
    with MailServer(behaviour) as server:
        mailer = post.mailer(
            server,
            tls=mode,
            ca=certificate.pem,
            user_name="share",
            password="secret-password",
        )
        assert await mailer.send(MAIL) == Sent(1)
    assert server.deliveries[0].is_encrypted
    assert server.deliveries[0].user == "share"


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
async def test_an_unknown_certificate_is_not_trusted(
    mode: TlsMode, certificate: Certificate, post: Post
) -> None:
    behaviour = Behaviour(tls=certificate.context, implicit=mode is TlsMode.IMPLICIT)
    with MailServer(behaviour) as server:
        outcome = await post.mailer(server, tls=mode).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.SERVER_NOT_TRUSTED
    assert server.deliveries == []


@pytest.mark.parametrize("mode", [TlsMode.STARTTLS, TlsMode.IMPLICIT])
async def test_a_server_without_encryption_gets_nothing(
    mode: TlsMode, certificate: Certificate, post: Post, server: MailServer
) -> None:
    mailer = post.mailer(server, tls=mode, ca=certificate.pem)
    outcome = await mailer.send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.SERVER_UNSUITABLE
    assert server.deliveries == []


async def test_a_wrong_password_is_told_but_not_repeated(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "orthanc_share")
    with MailServer(Behaviour(login=("share", "right"))) as server:
        login = {"user_name": "share", "password": "secret-password"}
        outcome = await post.mailer(server, **login).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.LOGIN_REFUSED
    assert outcome.status == 535
    assert "secret-password" not in caplog.text + repr(outcome)
    assert SERVER_TEXT not in caplog.text + repr(outcome)
    assert "without encryption" in caplog.text


async def test_a_server_that_wants_a_login_which_we_lack_is_told(post: Post) -> None:
    with MailServer(Behaviour(login=("share", "right"))) as server:
        outcome = await post.mailer(server).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.MAIL_REFUSED
    assert outcome.status == 530


async def test_a_server_without_login_does_not_get_ours(
    post: Post, server: MailServer
) -> None:
    mailer = post.mailer(server, user_name="share", password="secret-password")
    outcome = await mailer.send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.SERVER_UNSUITABLE


async def test_one_refused_recipient_does_not_stop_the_others(
    post: Post, server: MailServer
) -> None:
    server.behaviour.refused = {"bob@example.org"}
    mail = replace(MAIL, to="ann@example.org bob@example.org cid@example.org")
    outcome = await post.mailer(server).send(mail)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.MAIL_REFUSED
    assert (outcome.sent, outcome.status) == (2, 550)
    assert outcome.details == (
        "The mail server did not accept the mail. Mails that went out all the same: 2."
    )
    assert len(server.deliveries) == 2


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(refuses_mail=True), Refusal.MAIL_REFUSED),
        (Behaviour(refused_senders={"share@example.org"}), Refusal.MAIL_REFUSED),
        (Behaviour(is_closing=True), Refusal.SERVER_UNAVAILABLE),
    ],
)
async def test_a_server_that_does_not_take_the_mail_is_told_in_our_words(
    behaviour: Behaviour, reason: Refusal, post: Post
) -> None:
    with MailServer(behaviour) as server:
        outcome = await post.mailer(server).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is reason
    assert SERVER_TEXT not in repr(outcome)


async def test_a_server_that_is_not_there_is_told(post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = int(unused.getsockname()[1])
    mailer = Mailer(
        MailOptions(host="127.0.0.1", port=port, sender="a@example.org"),
        post.templates,
    )
    outcome = await mailer.send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.SERVER_UNAVAILABLE


@pytest.mark.parametrize("name", ["timeout", "delivery_timeout"])
async def test_a_server_that_says_nothing_is_left(name: str, post: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        changes: dict[str, Any] = {name: timedelta(seconds=0.1)}
        options = MailOptions(
            host="127.0.0.1",
            port=int(silent.getsockname()[1]),
            sender="a@example.org",
            **changes,
        )
        outcome = await Mailer(options, post.templates).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert outcome.reason is Refusal.SERVER_UNAVAILABLE


async def test_a_server_that_greets_with_a_refusal_is_unavailable(post: Post) -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"421 {SERVER_TEXT}\r\n".encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = int(server.sockets[0].getsockname()[1])
        options = MailOptions(host="127.0.0.1", port=port, sender="a@example.org")
        outcome = await Mailer(options, post.templates).send(MAIL)
    assert isinstance(outcome, NotSent)
    assert (outcome.reason, outcome.status) == (Refusal.SERVER_UNAVAILABLE, 421)


@pytest.mark.parametrize("ca", ["no certificate", "é"])
async def test_an_authority_that_is_none_stops_the_service(ca: str, post: Post) -> None:
    options = MailOptions(host="127.0.0.1", sender="a@example.org", ca=ca)
    with pytest.raises(ConfigurationError, match="EMAILS_SMTP_SERVER_CA") as raised:
        Mailer(options, post.templates)
    assert ca not in str(raised.value)


async def test_the_log_tells_how_many_and_which_domains_but_never_who(
    post: Post, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    mailer = post.mailer(server)
    server.behaviour.refused = {"bob@example.com"}
    mail = replace(MAIL, to="ann@example.org bob@example.com", title="Jane Doe")
    await mailer.send(mail)
    await mailer.send(MAIL)
    await mailer.send(replace(MAIL, to="nobody"))
    ours = [r.getMessage() for r in caplog.records if "orthanc_share" in r.name]
    domains = "recipients at example.com, example.org."
    assert ours == [
        f"Mail not sent: mail_refused (mail server: 550); 1 of 2 {domains}",
        "Mail sent: 1 recipients at example.org.",
        "Mail not sent: invalid_recipient (mail server: -); 0 of 0 recipients at -.",
    ]
    ours_and_theirs = repr(mail) + repr(mailer) + "".join(ours)
    for secret in ("ann@", "bob@", "Jane", "secret.token", SERVER_TEXT):
        assert secret not in ours_and_theirs
