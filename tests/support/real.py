"""Real programs that tests need: found, or a skip that says what to install."""

import os
import shutil
from pathlib import Path

import pytest

DEBIAN_PACKAGE = {
    "Orthanc": "orthanc orthanc-dicomweb orthanc-python",
    "nginx": "nginx-light",
    "chromium": "chromium",
    "docker-compose": "docker-compose",
    "openssl": "openssl",
    "curl": "curl",
    "envsubst": "gettext-base",
    "wrk": "wrk",
    "npm": "npm",
    "dcmdump": "dcmtk",
    "dciodvfy": "dicom3tools",
    "tesseract": "tesseract-ocr",
    "unzip": "unzip",
}
"""Program to the Debian packages that bring it."""

_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def find(program: str) -> str | None:
    """Return the path of `program`, also from the system folders."""
    folders = os.pathsep.join((os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS))
    return shutil.which(program, path=folders)


def require(program: str) -> Path:
    """Return the path of `program`, or skip the test; fail where skips are forbidden.

    With `ORTHANC_SHARE_REQUIRE_REAL=1`, as in CI, a missing program is a failure.
    """
    found = find(program)
    if found is not None:
        return Path(found)
    package = DEBIAN_PACKAGE.get(program, program)
    missing = f"{program} is not installed: apt-get install {package}"
    if os.environ.get("ORTHANC_SHARE_REQUIRE_REAL") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
