"""The site's contact and logo."""

from pathlib import Path

import pytest

from landing.site import LOGO_BYTES_MAX, ContactPart, Site, contact_parts, logo_url


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("Ask at the desk.", [("Ask at the desk.", None)]),
        (
            "help@clinic.example",
            [("help@clinic.example", "mailto:help@clinic.example")],
        ),
        ("030 1234-567", [("030 1234-567", "tel:0301234567")]),
        (
            "Call +49 (30) 1234567, or write to a.b+c@clinic.example.",
            [
                ("Call ", None),
                ("+49 (30) 1234567", "tel:+49301234567"),
                (", or write to ", None),
                ("a.b+c@clinic.example", "mailto:a.b+c@clinic.example"),
                (".", None),
            ],
        ),
        (
            "See https://clinic.example/help?a=1.",
            [
                ("See ", None),
                ("https://clinic.example/help?a=1", "https://clinic.example/help?a=1"),
                (".", None),
            ],
        ),
        ("javascript:alert(1)", [("javascript:alert(1)", None)]),
        ("Room 4711, 8:00-16:00", [("Room 4711, 8:00-16:00", None)]),
    ],
)
def test_a_contact_becomes_text_and_links(
    text: str, parts: list[tuple[str, str | None]]
) -> None:
    assert contact_parts(text) == tuple(ContactPart(*part) for part in parts)


def test_only_an_e_mail_can_name_the_reference() -> None:
    mail, phone = contact_parts("a@b.example+49 1234567")
    assert mail.is_mail
    assert not phone.is_mail
    assert not ContactPart("text").is_mail


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"\x89PNG\r\n\x1a\n...", "data:image/png;base64,iVBORw0KGgo"),
        (b"\xff\xd8\xff\xe0...", "data:image/jpeg;base64,/9j/"),
        (b"GIF89a...", "data:image/gif;base64,R0lG"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "data:image/webp;base64,UklG"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "data:image/svg+xml;base64,PD94"),
    ],
)
def test_a_logo_becomes_a_part_of_the_page(
    content: bytes, start: str, tmp_path: Path
) -> None:
    logo = tmp_path / "logo"
    logo.write_bytes(content)
    assert logo_url(logo).startswith(start)


@pytest.mark.parametrize("content", [b"", b"<html><body>", b"RIFF\0\0\0\0WAVE"])
def test_what_is_no_image_is_no_logo(content: bytes, tmp_path: Path) -> None:
    logo = tmp_path / "logo"
    logo.write_bytes(content)
    with pytest.raises(ValueError, match="not an SVG"):
        logo_url(logo)


def test_a_logo_that_would_slow_every_page_is_refused(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(LOGO_BYTES_MAX))
    with pytest.raises(ValueError, match="larger than 100000 bytes"):
        logo_url(logo)


@pytest.mark.parametrize(
    ("colour", "text"), [("#1f6091", "#ffffff"), ("#ffee00", "#000000")]
)
def test_text_on_the_colour_of_the_site_is_readable(colour: str, text: str) -> None:
    assert Site(colour=colour).on_colour == text
