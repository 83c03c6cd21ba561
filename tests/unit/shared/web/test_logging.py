"""Log lines: JSON that never holds a token, a password or a query."""

import base64
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from orthanc_share.web.logging import _TALKATIVE, JsonFormatter, configure_logging

TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0eXBlIjoic3RvbmUifQ."
    "c2lnbmF0dXJlLW9mLTMyLWJ5dGVzLWFuZC1ub3RoaW5n"
)
PARTS = TOKEN.split(".")

passwords = st.text("abcXYZ019-_~!ü:", min_size=2, max_size=20)
surroundings = st.text("ab {}[]'\"\\?&=,:;\n\tü/", max_size=12)


def line(message: str, *args: object, **extra: Any) -> str:
    record = logging.makeLogRecord(
        {"name": "test", "levelno": logging.INFO, "levelname": "INFO", "msg": message}
        | {"args": args, "created": 1772546400.1234}
        | extra
    )
    return JsonFormatter().format(record)


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Undo what `configure_logging` does."""
    names = ("", *_TALKATIVE, "uvicorn", "uvicorn.error")
    loggers = [logging.getLogger(n) for n in (*names, "uvicorn.access")]
    before = [(one.handlers, one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def test_a_line_is_one_json_object_with_time_in_utc() -> None:
    assert json.loads(line("hello %s", "world", share="share-1")) == {
        "time": datetime.fromtimestamp(1772546400.123, UTC).isoformat(
            timespec="milliseconds"
        ),
        "level": "info",
        "logger": "test",
        "message": "hello world",
        "share": "share-1",
    }


def test_a_line_stays_one_line() -> None:
    written = line("two\nlines", path='/a\n{"level": "error"}')
    assert "\n" not in written
    assert json.loads(written)["path"] == '/a\n{"level": "error"}'


@given(before=surroundings, after=surroundings, bearer=st.sampled_from(["", "Bearer "]))
def test_no_token_gets_through(before: str, after: str, bearer: str) -> None:
    text = f"{before}{bearer}{TOKEN}{after}"
    for written in (
        line(text),
        line("%s", text),
        line("%r", [text]),
        line("x", path=text),
        line("x", nested={"a": [{"b": (text,)}]}),
        line("x", k={text: 1}),
        line("x", thing=text.encode()),
    ):
        json.loads(written)
        for part in PARTS:
            assert part not in written


@given(name=st.text("abc", max_size=5), password=passwords, before=surroundings)
def test_no_basic_credentials_get_through(
    name: str, password: str, before: str
) -> None:
    credentials = base64.b64encode(f"{name}:{password}".encode()).decode()
    for scheme in ("Basic ", "basic ", "BASIC  ", "Basic\t"):
        text = f"{before} {scheme}{credentials}"
        for written in (
            line(text),
            line("x", headers={"authorization": text.encode()}),
            line("x", headers=[(b"authorization", f"{scheme}{credentials}".encode())]),
        ):
            json.loads(written)
            assert credentials not in written


@given(
    before=st.text("ab/'\"\\{},: ", max_size=8),
    query=st.text("abc'\"\\{},:&=%[]?", min_size=6, max_size=20),
)
def test_no_query_string_gets_through(before: str, query: str) -> None:
    for written in (
        line(f"GET {before}/welcome/?{query} HTTP/1.1"),
        line("x", path=f"/welcome/?{query}"),
        line("x", url=f"https://h.example/welcome/?{query}#fragment"),
    ):
        told = json.loads(written)
        shown = str([told["message"], told.get("path"), told.get("url")])
        assert f"?{query}" not in shown
        assert "[removed]" in shown


@given(path=st.text(max_size=40))
def test_nothing_in_a_path_can_write_members_of_its_own(path: str) -> None:
    for text in (path, f"?{path}", f'/a?","level":"error","x":"{path}'):
        entry = json.loads(line("request", path=text))
        assert entry.keys() == {"time", "level", "logger", "message", "path"}
        assert entry["level"] == "info"


def test_the_beginning_of_a_token_does_not_get_through() -> None:
    # Without a dot, and as long as a path can be: whoever looks for the dot again
    # from each of its letters lets everybody wait for seconds.
    beginning = "eyJ" * 21_845
    assert json.loads(line("request", path=f"/x/{beginning}/y"))["path"] == (
        "/x/[removed]/y"
    )


def test_login_data_in_an_address_do_not_get_through() -> None:
    written = line("cannot reach http://user:canary@h.example:80/a")
    assert "canary" not in written
    assert "h.example:80/a" in written


def test_what_is_harmless_stays_readable() -> None:
    for text in ("Is it? Yes.", "basic rules", "a/b?", "unknown; do you mean USERS?"):
        assert json.loads(line(text))["message"] in {text, "[removed]"}
    entry = json.loads(line("x", number=7, half=0.5, on=True, nothing=None))
    assert (entry["number"], entry["half"]) == (7, 0.5)
    assert entry["on"] is True
    assert entry["nothing"] is None


def test_an_exception_is_told_by_kind_and_place_but_not_by_its_text() -> None:
    with pytest.raises(ValueError, match="canary") as caught:
        int(f"canary {TOKEN}")
    written = line("failed", exc_info=(caught.type, caught.value, caught.tb))
    assert "canary" not in written
    told = json.loads(written)["exception"]
    assert told.endswith("> builtins.ValueError")
    assert "test_logging.py" in told


def test_an_exception_may_be_missing_or_without_trace() -> None:
    assert "exception" not in json.loads(line("x", exc_info=(None, None, None)))
    assert "exception" not in json.loads(line("x", exc_info=None))
    bare = json.loads(line("x", exc_info=(ValueError, None, None)))
    assert bare["exception"] == "builtins.ValueError"


@pytest.mark.usefixtures("restored_logging")
def test_all_loggers_write_json_to_standard_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging("info")
    logging.getLogger("anything").info("told")
    logging.getLogger("anything").debug("not told")
    logging.getLogger("uvicorn.error").info(
        "told by uvicorn", extra={"color_message": 1}
    )
    logging.getLogger("uvicorn.access").info("GET /?token=canary")
    logging.getLogger("httpx").info("GET http://meddream/?token=canary")
    lines = [json.loads(text) for text in written.getvalue().splitlines()]
    assert [one["message"] for one in lines] == ["told", "told by uvicorn"]
    assert "color_message" not in lines[1]
    configure_logging("error")
    configure_logging("debug")
    logging.getLogger("anything").debug("told once")
    assert written.getvalue().count("told once") == 1
