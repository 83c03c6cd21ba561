"""The share dialog's letters, as Orthanc Explorer 2 asks for them (protocol B.7)."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.logs import CollectedLog
from tests.support.service import Service, running
from tests.support.smtp import SERVER_TEXT, Behaviour, MailServer

LETTER = {
    "destination-email": "a@example.org; b@example.com",
    "email-title": "Your images",
    "email-content": "<p>Link: https://share.example.org/welcome/?token=T</p>",
    "layout-template": "letter",
}
LAYOUT = "<html><body><h1>Hospital</h1>{email-content}</body></html>"


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of templates, with a file beside it that is none of them."""
    root = tmp_path_factory.mktemp("mail")
    (root / "private.html").write_text("private")
    folder = root / "templates"
    folder.mkdir()
    (folder / "letter.html").write_text(LAYOUT)
    (folder / "share.html").write_text("<p>{ShareUrl}</p>")
    (folder / "no-place.html").write_text("<p>nothing goes here</p>")
    (folder / "notes.txt").write_text("no template")
    return folder


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    """Run a mail server."""
    with MailServer(Behaviour(refused={"nobody@example.org"})) as started:
        yield started


@pytest.fixture(scope="module")
def mailing(templates: Path, post: MailServer) -> Iterator[Service]:
    """Run a service that sends letters."""
    with running(
        enable_emails=True,
        emails_templates_root=templates,
        emails_sender_address="Hospital <images@hospital.example.org>",
        emails_smtp_server_hostname="127.0.0.1",
        emails_smtp_server_port=post.port,
        emails_smtp_server_uses_tls="false",
        emails_max_per_minute=1000,
    ) as started:
        yield started


def test_a_letter_goes_to_each_recipient(mailing: Service, post: MailServer) -> None:
    before = len(post.deliveries)
    answer = mailing.call("POST", "/emails/send", LETTER)
    assert answer.status == 200
    assert answer.json == {"success": True, "details": None}
    sent = post.deliveries[before:]
    assert [one.recipients for one in sent] == [["a@example.org"], ["b@example.com"]]
    assert "Hospital" in sent[0].part("html")
    assert "https://share.example.org/welcome/?token=T" in sent[0].part("plain")


@pytest.mark.parametrize(
    "changes",
    [
        {"destination-email": "nobody@example.org"},
        {"destination-email": "no address"},
        {"destination-email": ""},
        {"destination-email": "a@example.org\r\nBcc: c@example.org"},
        {"email-title": ""},
        {"email-title": "x\r\nBcc: c@example.org"},
        {"email-content": ""},
        {"email-content": "x" * 300_000},
        {"layout-template": "no-place"},
    ],
)
def test_a_letter_that_was_not_sent_says_why(
    changes: dict[str, Any], mailing: Service, post: MailServer
) -> None:
    before = len(post.deliveries)
    answer = mailing.call("POST", "/emails/send", LETTER | changes)
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json["success"] is False
    assert answer.json["details"]
    assert SERVER_TEXT not in answer.json["details"]
    assert len(post.deliveries) == before


@pytest.mark.parametrize(
    "name", ["../private", "/etc/passwd", "..%2fprivate", "unknown", "notes", ".", ""]
)
def test_only_the_sites_templates_are_read(
    name: str, mailing: Service, templates: Path
) -> None:
    assert (templates.parent / "private.html").exists()
    answer = mailing.call("GET", f"/emails/templates/{name}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    layouts = (name or "unknown", f"{templates.parent}/private")
    for layout in layouts:
        letter = LETTER | {"layout-template": layout}
        assert mailing.call("POST", "/emails/send", letter).status == 404


@pytest.mark.parametrize("name", LETTER)
@pytest.mark.parametrize("value", [5, True, [], {}, ["a@example.org"]])
def test_a_member_of_a_wrong_type_is_a_problem(
    name: str, value: Any, mailing: Service
) -> None:
    answer = mailing.call("POST", "/emails/send", LETTER | {name: value})
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["destination-email", "email-title", "email-content"])
def test_a_missing_member_is_a_problem(name: str, mailing: Service) -> None:
    rest = {key: value for key, value in LETTER.items() if key != name}
    for body in (rest, rest | {name: None}):
        assert mailing.call("POST", "/emails/send", body).status == 422
    assert mailing.call("POST", "/emails/send", b"no JSON").status == 400


@pytest.mark.parametrize("layout", [None, ""])
def test_a_letter_needs_no_layout(layout: str | None, mailing: Service) -> None:
    letter = LETTER | {"layout-template": layout, "destination-email": "c@example.org"}
    assert mailing.call("POST", "/emails/send", letter).status == 200


def test_templates_are_listed_and_shown(mailing: Service) -> None:
    names = mailing.call("GET", "/emails/templates")
    assert names.json == ["letter", "no-place", "share"]
    shown = mailing.call("GET", "/emails/templates/share")
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert shown.raw == b"<p>{ShareUrl}</p>"
    assert "sandbox" in shown.headers["content-security-policy"]


def test_letters_need_a_login(mailing: Service) -> None:
    visitor = Service(mailing.base, None)
    assert visitor.call("POST", "/emails/send", LETTER).status == 401
    assert visitor.call("GET", "/emails/templates").status == 401
    assert visitor.call("GET", "/emails/templates/share").status == 401


def test_no_recipient_and_no_link_is_logged(
    mailing: Service, json_log: CollectedLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The stand-in writes down what it is told.
    monkeypatch.setattr(logging.getLogger("mail.log"), "disabled", True)
    mailing.call("POST", "/emails/send", LETTER)
    logged = json_log.text
    assert "Mail sent: 2 recipients at example.com, example.org." in logged
    assert "a@example.org" not in logged
    assert "token=T" not in logged


def test_only_so_many_letters_a_minute(templates: Path, post: MailServer) -> None:
    with running(
        enable_emails=True,
        emails_templates_root=templates,
        emails_sender_address="images@hospital.example.org",
        emails_smtp_server_hostname="127.0.0.1",
        emails_smtp_server_port=post.port,
        emails_smtp_server_uses_tls="false",
        emails_max_per_minute=3,
        emails_max_recipients=3,
        emails_allowed_domains="example.org example.com",
    ) as service:
        answers = [service.call("POST", "/emails/send", LETTER) for _ in range(2)]
        foreign = LETTER | {"destination-email": "x@evil.example.net"}
        assert service.call("POST", "/emails/send", foreign).status == 400
    assert [answer.status for answer in answers] == [200, 400]
