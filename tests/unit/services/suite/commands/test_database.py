"""The database is made before anything is served, if there is to be one."""

from pathlib import Path

import pytest

from suite.commands.database import prepare_database


def test_the_database_is_there_before_the_first_request(site: Path) -> None:
    (site / "data").mkdir()  # a service makes it when it is built
    prepare_database()
    assert (site / "data" / "orthanc-share.sqlite").exists()


def test_without_a_registry_there_is_no_database(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY", "off")
    prepare_database()
    assert not (site / "data").exists()


def test_a_database_that_is_away_is_left_to_the_service(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:canary@127.0.0.1:1/x")
    prepare_database()
    assert not (site / "data" / "orthanc-share.sqlite").exists()
