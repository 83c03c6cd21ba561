"""The package that `pip install` gets: whole, and without the repository."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.real import require
from tests.support.settings import SECRET_KEY

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "shared", ROOT / "services")
NOT_SHIPPED = {".pot"}  # what translators begin with

# Runs beside the repository, with nothing but the wheel's own files and libraries.
OPENED = """
import asyncio, os
import httpx
import landing.app, orthanc_share, suite, token_service.app, anonymizer.app
assert orthanc_share.__file__.startswith(os.environ["INSTALLED"]), orthanc_share
app = landing.app.create_app()
async def open_page():
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
        return await client.get("/?token=nonsense&lang=de")
page = asyncio.run(open_page())
print(page.status_code, page.headers["content-language"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    ours = Path(sys.executable).with_name("uv")  # from `make init`
    uv = ours if ours.exists() else require("uv")
    command = [str(uv), "build", "--quiet", "--wheel", "--out-dir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


def test_nothing_that_the_sources_hold_is_left_out(wheel: Path) -> None:
    expected = {
        str(path.relative_to(folder))
        for folder in FOLDERS
        for path in folder.rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix not in NOT_SHIPPED
    }
    with zipfile.ZipFile(wheel) as archive:
        assert expected <= set(archive.namelist())


def test_it_serves_pages_in_german_beside_the_repository(
    wheel: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "INSTALLED": str(installed),
        "SECRET_KEY": SECRET_KEY,
        "REGISTRY": "off",
        "PUBLIC_ORTHANC_ROOT": "https://share.example.org/shares/",
    }
    finished = subprocess.run(
        [sys.executable, "-c", OPENED],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.stdout.split() == ["404", "de"], finished.stderr[-2000:]
