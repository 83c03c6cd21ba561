"""The OHIF viewer for the demo: npm's package `@ohif/app`, as static files of ours.

The package holds a built application. It is fetched with `npm pack` (no dependency, no
script of the package runs), checked against its known digest, and unpacked without what
would call other hosts: the service worker loads code from a content delivery network,
and the models for segmentation (`ort/`) are fetched from elsewhere.
"""

import hashlib
import subprocess
import tarfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from demo.processes import find_program

VERSION = "3.13.2"
"""Version of OHIF."""

PACKAGE = f"@ohif/app@{VERSION}"
"""Name of the package in npm's registry."""

DIGEST = (
    "WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j"
    "4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA=="
)
"""SHA-512 of the package, as `npm view @ohif/app@3.13.2 dist.integrity` shows it."""

BASE = "/ohif/"
"""Path under which the viewer is served; the package is built for `/`."""

CONFIGURATION = Path(__file__).with_name("ohif") / "app-config.js"
"""OHIF's configuration of the deployment."""

DICOMWEB = "/shares/dicom-web"
"""Path of DICOMweb there, behind nginx."""

_CONTENT = PurePosixPath("package/dist")
_LEFT_OUT = {"ort", "sw.js", "app-config.js", "_headers", "_redirects", "google.js"}
_NO_SERVICE_WORKER = "// No service worker: it would load code from another host.\n"
_FETCH_TIMEOUT = 600.0

_REWRITES = {
    ".js": (('__webpack_require__.p = "/"', f'__webpack_require__.p = "{BASE}"'),),
    ".css": (("url(/", f"url({BASE}"),),
    ".html": (
        ('window.PUBLIC_URL="/"', f'window.PUBLIC_URL="{BASE}"'),
        ('src="/', f'src="{BASE}'),
        ('href="/', f'href="{BASE}'),
    ),
}
"""How files are changed from `/` to `BASE`, by suffix."""


class ViewerUnavailableError(Exception):
    """OHIF cannot be had here; the demo runs without it. The message says why."""


def configuration(dicomweb: str) -> str:
    """Return OHIF's `app-config.js` for an Orthanc for shares at another path.

    Args:
        dicomweb: Path of DICOMweb on the host of the viewer.
    """
    return CONFIGURATION.read_text("utf-8").replace(DICOMWEB, dicomweb)


def prepare(folder: Path, say: Callable[[str], None], digest: str = DIGEST) -> Path:
    """Return a folder with the viewer's files, fetched when `folder` has none yet.

    Args:
        folder: Where package and files are kept from run to run.
        say: Told what takes long.
        digest: SHA-512 that the package must have, base64.

    Raises:
        ViewerUnavailableError: npm is missing or failed, or the package is not the one
            that was expected.
    """
    files = folder / f"ohif-{VERSION}"
    if not (files / "index.html").exists():
        say(f"fetching OHIF {VERSION} with npm (50 MB, once)")
        _unpack(_fetch(folder, digest), files)
    return files


def _fetch(folder: Path, digest: str) -> Path:
    npm = find_program("npm")
    if npm is None:
        raise ViewerUnavailableError("npm is not installed: apt-get install npm")
    folder.mkdir(parents=True, exist_ok=True)
    package = folder / f"ohif-app-{VERSION}.tgz"
    if not package.exists():
        command = [npm, "pack", PACKAGE, "--ignore-scripts", "--silent"]
        try:
            subprocess.run(  # noqa: S603
                command,
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=_FETCH_TIMEOUT,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise ViewerUnavailableError(f"{PACKAGE} cannot be fetched") from error
    found = hashlib.sha512(package.read_bytes()).digest()
    if b64encode(found).decode("ascii") != digest:
        package.unlink()
        raise ViewerUnavailableError(f"{PACKAGE} is not the package that was expected")
    return package


def _unpack(package: Path, target: Path) -> None:
    """Unpack the application, `index.html` last: it tells that all is there."""
    index = None
    with tarfile.open(package) as archive:
        for member in archive:
            name = PurePosixPath(member.name)
            if not member.isfile() or not name.is_relative_to(_CONTENT):
                continue
            relative = name.relative_to(_CONTENT)
            source = archive.extractfile(member)
            if source is None or relative.parts[0] in _LEFT_OUT or ".." in name.parts:
                continue
            content = _adapted(relative, source.read())
            if str(relative) == "index.html":
                index = content
            else:
                _write(target / relative, content)
    if index is None:
        raise ViewerUnavailableError(f"{PACKAGE} holds no application")
    _write(target / "init-service-worker.js", _NO_SERVICE_WORKER.encode("ascii"))
    _write(target / "index.html", index)


def _adapted(name: PurePosixPath, content: bytes) -> bytes:
    for old, new in _REWRITES.get(name.suffix, ()):
        content = content.replace(old.encode("ascii"), new.encode("ascii"))
    return content


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
