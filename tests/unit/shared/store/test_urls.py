"""Which databases can be used, and what is said of others."""

import pytest

from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.store.urls import parse_url


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (
            "sqlite:////data/registry.sqlite",
            "sqlite+aiosqlite:////data/registry.sqlite",
        ),
        ("sqlite+aiosqlite:///x", "sqlite+aiosqlite:///x"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p@h:5/d", "postgresql+asyncpg://u:p@h:5/d"),
        (
            "postgresql+asyncpg://u:p@h/d?sslmode=verify-full",
            "postgresql+asyncpg://u:p@h/d?ssl=verify-full",
        ),
        (
            "postgresql://u@/d?host=/run/postgresql",
            "postgresql+asyncpg://u@/d?host=%2Frun%2Fpostgresql",
        ),
    ],
)
def test_a_database_is_used_with_our_driver(given: str, used: str) -> None:
    assert parse_url(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        "secret",
        "mysql://u:secret@h/d",
        "postgresql+psycopg://u:secret@h/d",
        "postgresql://u:secret@h:port/d",
        "postgresql://u:secret@h/d?options=secret",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x?mode=secret",
    ],
)
def test_another_is_refused_without_its_value(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_url(url)
    (problem,) = caught.value.problems
    assert problem.startswith("DATABASE_URL: ")
    assert "secret" not in problem
