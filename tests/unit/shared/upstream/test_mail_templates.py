"""Templates come from one directory and from nowhere else (defects A61, A66)."""

from pathlib import Path

import pytest

from orthanc_share.domain.errors import ConfigurationError, TemplateNotFoundError
from orthanc_share.upstream.mail_templates import TEMPLATE_MAX_BYTES, MailTemplates


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "templates"
    root.mkdir()
    (root / "letter.html").write_text("<p>{email-content}</p>", "utf-8")
    (root / "Ward-3_b.v2.html").write_bytes("\ufeff<p>Größe</p>".encode())
    (root / "notes.txt").write_text("no", "utf-8")
    (root / "odd name.html").write_text("no", "utf-8")
    (root / "folder.html").mkdir()
    (tmp_path / "outside.html").write_text("secret", "utf-8")
    return root


def test_templates_are_listed_by_name(root: Path) -> None:
    assert MailTemplates(root).names() == ["Ward-3_b.v2", "letter"]


def test_a_template_is_read_as_it_is_now(root: Path) -> None:
    templates = MailTemplates(root)
    assert templates.read("letter") == "<p>{email-content}</p>"
    (root / "letter.html").write_text("new", "utf-8")
    assert templates.read("letter") == "new"
    assert templates.read("Ward-3_b.v2") == "<p>Größe</p>"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "unknown",
        "../outside",
        "..",
        ".",
        "/etc/passwd",
        "folder",
        "folder.html/../../outside",
        "odd name",
        "letter\x00",
        "letter\n",
        "lettér",
        "x" * 101,
        "..%2foutside",
    ],
)
def test_there_is_no_way_out_of_the_directory(root: Path, name: str) -> None:
    with pytest.raises(TemplateNotFoundError) as raised:
        MailTemplates(root).read(name)
    assert str(raised.value) == "There is no e-mail template of that name."


def test_a_link_may_lead_to_another_place_inside_only(root: Path) -> None:
    (root / "inside.html").symlink_to(root / "letter.html")
    (root / "escape.html").symlink_to(root.parent / "outside.html")
    (root / "circle.html").symlink_to(root / "circle.html")
    templates = MailTemplates(root)
    assert templates.names() == ["Ward-3_b.v2", "inside", "letter"]
    assert templates.read("inside") == "<p>{email-content}</p>"
    for name in ("escape", "circle"):
        with pytest.raises(TemplateNotFoundError):
            templates.read(name)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (TEMPLATE_MAX_BYTES + 1)])
def test_a_template_that_is_no_text_is_none(root: Path, content: bytes) -> None:
    (root / "letter.html").write_bytes(content)
    with pytest.raises(TemplateNotFoundError, match="cannot be read"):
        MailTemplates(root).read("letter")


def test_the_largest_template_is_read(root: Path) -> None:
    (root / "letter.html").write_bytes(b"x" * TEMPLATE_MAX_BYTES)
    assert len(MailTemplates(root).read("letter")) == TEMPLATE_MAX_BYTES


def test_a_site_without_directory_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="EMAILS_TEMPLATES_ROOT") as raised:
        MailTemplates(tmp_path / "missing")
    assert "missing" not in str(raised.value)
