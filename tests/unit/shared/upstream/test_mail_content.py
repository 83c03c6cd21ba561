"""The content of a mail is harmless, and readable without HTML (defects A62, A67)."""

import pytest
from hypothesis import given, strategies as st

from orthanc_share.upstream.mail_content import page, sanitize, to_text


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Dear <b>Ann</b></p>", "<p>Dear <b>Ann</b></p>"),
        ("<script>alert(1)</script>x", "x"),
        ("<style>p{}</style>x", "x"),
        ("<!-- note -->x", "x"),
        ('<p onclick="alert(1)">x</p>', "<p>x</p>"),
        ('<img src="https://tracker.example/a.png">x', "x"),
        ('<form action="https://evil.example"><input name="p">x</form>', "x"),
        ('<iframe src="https://evil.example"></iframe>x', "x"),
        ('<p style="color:red;position:fixed">x</p>', '<p style="color:red">x</p>'),
        ('<p style="color:url(https://tracker.example)">x</p>', "<p>x</p>"),
        ('<p style="color:\\75 rl(x)">x</p>', "<p>x</p>"),
        ('<p style="color:image-set(x)">x</p>', "<p>x</p>"),
        ("5 < 6 & 7", "5 &lt; 6 &amp; 7"),
    ],
)
def test_only_harmless_html_stays(html: str, expected: str) -> None:
    assert sanitize(html) == expected


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "/relative", "file:x"],
)
def test_a_link_goes_nowhere_dangerous(href: str) -> None:
    assert "href" not in sanitize(f'<a href="{href}">x</a>')


@pytest.mark.parametrize(
    "href",
    ["https://share.example.org/welcome/?token=a.b", "mailto:a@b.example", "tel:1"],
)
def test_a_link_of_a_share_stays(href: str) -> None:
    assert f'href="{href}"' in sanitize(f'<a href="{href}">x</a>')


def test_a_layout_takes_the_content_at_its_place() -> None:
    layout = "<body><h1>Clinic</h1>{email-content}<p>Bye</p></body>"
    assert page("<p>Hi</p>", layout) == (
        "<body><h1>Clinic</h1><p>Hi</p><p>Bye</p></body>"
    )


def test_without_layout_the_mail_is_a_page_of_its_own() -> None:
    assert page("<p>Hi</p>", None).startswith("<!DOCTYPE html>")
    assert "<body><p>Hi</p></body>" in page("<p>Hi</p>", None)


def test_the_text_reads_like_the_page() -> None:
    html = """<html><head><title>No</title><style>p{}</style></head><body>
    <h1>Your   images</h1><p>Dear Ann,<br>see
    <a href="https://h.example/?token=1">this link</a> or write to
    <a href="mailto:a@b.example">a@b.example</a>.</p>
    <ul><li>one</li> <li>two</li></ul>
    <table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>
    <script>No</script>1 &lt; 2</body></html>"""
    assert to_text(html) == (
        "Your images\n\nDear Ann,\n"
        "see this link <https://h.example/?token=1> or write to a@b.example.\n\n"
        "- one\n- two\n\na b\nc\n\n1 < 2\n"
    )


def test_a_link_without_address_or_in_silence_is_just_text() -> None:
    assert to_text('<a>here</a><style><a href="x">y</a></style>') == "here\n"
    assert to_text('<head><a href="https://x.example">y</a></head>z') == "z\n"


@pytest.mark.parametrize("html", ["</a>", "</title>", "<p>", "", "</p></p>"])
def test_untidy_html_is_read_all_the_same(html: str) -> None:
    assert to_text(html + "x") == "x\n"


@given(st.text(alphabet="<>/abip \"'=&;\n"))
def test_any_text_can_be_sanitized_and_read(html: str) -> None:
    clean = sanitize(html)
    assert sanitize(clean) == clean
    assert "  " not in to_text(clean)
