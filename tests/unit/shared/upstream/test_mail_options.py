"""The mail server's settings are checked together (defects A63, A65)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.upstream.mail_options import MailOptions, TlsMode

GOOD = MailOptions(host="mail.example.org", sender="Clinic <share@example.org>")


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("true", TlsMode.STARTTLS),
        (" YES ", TlsMode.STARTTLS),
        ("starttls", TlsMode.STARTTLS),
        ("implicit", TlsMode.IMPLICIT),
        ("False", TlsMode.NONE),
        ("no", TlsMode.NONE),
        ("0", TlsMode.NONE),
    ],
)
def test_encryption_is_named_as_people_do(text: str, mode: TlsMode) -> None:
    assert TlsMode.parse(text) is mode


@pytest.mark.parametrize("text", ["", "maybe", "tls1.0"])
def test_another_word_is_no_encryption(text: str) -> None:
    with pytest.raises(ValueError, match="implicit"):
        TlsMode.parse(text)


@pytest.mark.parametrize(
    ("mode", "port"),
    [(TlsMode.STARTTLS, 587), (TlsMode.IMPLICIT, 465), (TlsMode.NONE, 25)],
)
def test_each_encryption_has_its_usual_port(mode: TlsMode, port: int) -> None:
    assert replace(GOOD, tls=mode).server_port == port
    assert replace(GOOD, tls=mode, port=2525).server_port == 2525


def test_encryption_is_on_unless_it_is_turned_off() -> None:
    assert GOOD.tls is TlsMode.STARTTLS


def test_answers_go_to_the_sender_unless_told_otherwise() -> None:
    assert GOOD.reply_mailbox.address == "share@example.org"
    options = replace(GOOD, reply_to="help@example.org")
    assert options.reply_mailbox.address == "help@example.org"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"host": ""}, "EMAILS_SMTP_SERVER_HOSTNAME"),
        ({"host": "mail example"}, "EMAILS_SMTP_SERVER_HOSTNAME"),
        ({"host": "mail\nexample"}, "EMAILS_SMTP_SERVER_HOSTNAME"),
        ({"host": "mail..example"}, "EMAILS_SMTP_SERVER_HOSTNAME"),
        ({"port": 0}, "EMAILS_SMTP_SERVER_PORT"),
        ({"port": 65536}, "EMAILS_SMTP_SERVER_PORT"),
        ({"user_name": "u"}, "EMAILS_SMTP_SERVER_PWD"),
        ({"password": "p"}, "EMAILS_SMTP_SERVER_USER_NAME"),
        ({"timeout": timedelta(0)}, "EMAILS_SMTP_SERVER_TIMEOUT"),
        ({"sender": "nobody"}, "EMAILS_SENDER_ADDRESS"),
        ({"reply_to": "nobody"}, "EMAILS_REPLY_TO"),
        ({"max_recipients": 0}, "EMAILS_MAX_RECIPIENTS"),
        ({"max_per_minute": 19}, "EMAILS_MAX_PER_MINUTE"),
        ({"max_size": 0}, "EMAILS_MAX_SIZE"),
        ({"allowed_domains": frozenset({"localhost"})}, "EMAILS_ALLOWED_DOMAINS"),
        ({"allowed_domains": frozenset({"Example.org"})}, "EMAILS_ALLOWED_DOMAINS"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as raised:
        replace(GOOD, **changes)
    assert len(raised.value.problems) == 1


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        MailOptions(host="", sender="", max_recipients=0)
    assert len(raised.value.problems) == 3


def test_domains_may_be_listed() -> None:
    domains = frozenset({"example.org", "*.example.com"})
    assert replace(GOOD, allowed_domains=domains).allowed_domains == domains


def test_the_password_is_not_in_the_repr() -> None:
    options = replace(GOOD, user_name="u", password="secret-password")
    assert "secret-password" not in repr(options)


@pytest.mark.parametrize(
    ("mode", "user_name", "is_so"),
    [
        (TlsMode.NONE, "u", True),
        (TlsMode.NONE, None, False),
        (TlsMode.STARTTLS, "u", False),
    ],
)
def test_a_password_without_encryption_is_noticed(
    mode: TlsMode, user_name: str | None, *, is_so: bool
) -> None:
    password = None if user_name is None else "p"
    options = replace(GOOD, tls=mode, user_name=user_name, password=password)
    assert options.sends_password_unencrypted is is_so
