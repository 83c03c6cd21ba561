"""Static files of the OHIF viewer, served by Orthanc itself when there is no nginx.

So the viewer and its DICOMweb server have one origin. Files are only read from the one
folder, and the content security policy keeps the browser on this machine.
"""

import mimetypes
from pathlib import Path
from typing import NamedTuple

PREFIX = "/ohif/"
"""Path of the viewer in Orthanc."""

CONFIGURATION = "app-config.js"
"""The one file that is not the package's."""

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; frame-ancestors 'none'"
)
"""What OHIF needs: WebAssembly, workers from blobs, inline styles; no other host."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every file."""


class File(NamedTuple):
    """A file to send: its content and media type."""

    content: bytes
    media_type: str


class ViewerFiles:
    """The folder of a single-page application.

    Args:
        folder: Its files.
        configuration: File to send as `app-config.js`.
    """

    def __init__(self, folder: Path, configuration: Path) -> None:
        self._folder = folder.resolve(strict=True)
        self._configuration = configuration.resolve(strict=True)

    def find(self, path: str) -> File | None:
        """Return what to send for `path`, below the prefix; None for no such file.

        A path without a dot is a page of the application, and gets `index.html`.
        """
        relative = path.removeprefix(PREFIX)
        if relative == CONFIGURATION:
            return File(self._configuration.read_bytes(), _media_type(relative))
        if "." not in relative.rpartition("/")[2]:
            relative = "index.html"
        target = (self._folder / relative).resolve()
        if not target.is_relative_to(self._folder) or not target.is_file():
            return None
        return File(target.read_bytes(), _media_type(target.name))


def _media_type(name: str) -> str:
    if name.endswith(".wasm"):
        return "application/wasm"  # Python 3.11 on Debian does not know it
    if name.endswith(".js"):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
