"""Each command starts in a folder of its own, with the settings of a good site."""

import os
from pathlib import Path

import pytest

from tests.unit.services.suite.environment import GOOD, set_environment


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the folder of the site, with `secrets` and `data` in it."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    set_environment(monkeypatch, secrets, GOOD)
    for name in [name for name in os.environ if name.startswith("ORTHANC_SHARE_")]:
        if name != "ORTHANC_SHARE_REQUIRE_REAL":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    return tmp_path
