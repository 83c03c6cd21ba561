"""Debian's Orthanc as the demo runs it: configuration, start, sample studies."""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from demo.calls import call
from demo.processes import Process, StartError, answers, find_program, free_port
from demo.sample_data import STUDIES, SampleStudy

PLUGINS = Path("/usr/share/orthanc/plugins")
"""Where Debian puts Orthanc's plugins."""

SCRIPT = Path(__file__).with_name("orthanc") / "authorization.py"
"""The Python plugin."""

_PYTHON, _DICOMWEB = "libOrthancPython.so", "libOrthancDicomWeb.so"


def missing_parts() -> list[str]:
    """Return the Debian packages that are needed and not installed."""
    needed = {
        "orthanc": find_program("Orthanc") is not None,
        "orthanc-dicomweb": (PLUGINS / _DICOMWEB).exists(),
        "orthanc-python": (PLUGINS / _PYTHON).exists(),
    }
    return [package for package, found in needed.items() if not found]


@dataclass(frozen=True)
class Viewer:
    """OHIF.

    Attributes:
        folder: Its files.
        configuration: Its `app-config.js`.
    """

    folder: Path
    configuration: Path


@dataclass(frozen=True)
class OrthancSetup:
    """What one Orthanc is for.

    Attributes:
        name: Shown in Orthanc and in messages.
        folder: For its configuration, its log and, in `storage`, its images.
        port: HTTP port on loopback.
        authorization: Section `Authorization`; None runs it without our plugin.
        users: Orthanc's own users, name to password; none means no login.
        viewer: OHIF, to be served under `/ohif/`.
    """

    name: str
    folder: Path
    port: int
    authorization: Mapping[str, Any] | None = field(default=None, repr=False)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    viewer: Viewer | None = None

    @property
    def url(self) -> str:
        """Where it answers, with a final slash."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def storage(self) -> Path:
        """Where the images and the index are."""
        return self.folder / "storage"

    def configuration(self) -> dict[str, Any]:
        """Return the content of Orthanc's configuration file."""
        plugins = [str(PLUGINS / _DICOMWEB)]
        document: dict[str, Any] = {
            "Name": self.name,
            "HttpPort": self.port,
            "DicomServerEnabled": False,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": bool(self.users),
            "RegisteredUsers": dict(self.users),
            "StorageDirectory": str(self.storage),
            "IndexDirectory": str(self.storage),
            "ConcurrentJobs": 1,
            "HttpCompressionEnabled": False,  # everything stays on this machine
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }
        if self.authorization is not None:
            # Ours comes first: it takes over `GET /dicom-web/studies`
            plugins.insert(0, str(PLUGINS / _PYTHON))
            document["PythonScript"] = str(SCRIPT)
            document["Authorization"] = dict(self.authorization)
        if self.viewer is not None:
            document["OrthancShareDemo"] = {
                "ViewerFolder": str(self.viewer.folder),
                "ViewerConfiguration": str(self.viewer.configuration),
            }
        return {**document, "Plugins": plugins}

    def start(self) -> Process:
        """Start Orthanc; use the result in a `with` statement.

        Raises:
            StartError: Orthanc is not installed.
        """
        program = find_program("Orthanc")
        if program is None:
            raise StartError("Orthanc is not installed: apt-get install orthanc")
        self.storage.mkdir(parents=True, exist_ok=True)
        file = self.folder / "orthanc.json"
        file.touch(mode=0o600)  # it holds passwords
        file.write_text(json.dumps(self.configuration(), indent=2), "utf-8")
        return Process(
            self.name,
            [program, str(file)],
            log=self.folder / "orthanc.log",
            ready=lambda: answers(f"{self.url}system"),
        )


def upload(url: str, studies: Iterable[SampleStudy]) -> int:
    """Send studies to the Orthanc at `url`; return the number of images.

    Raises:
        StartError: Orthanc refuses them.
    """
    count = 0
    for study in studies:
        for content in study.files():
            reply = call("POST", f"{url}instances", content)
            if reply.status != HTTPStatus.OK:
                raise StartError(f"Orthanc does not take the samples ({reply.status})")
            count += 1
    return count


def seed(folder: Path) -> Path:
    """Fill a storage with the sample studies, once; return it.

    An Orthanc that checks every request takes no uploads, so this one checks nothing,
    and stops when it is done. Copy the storage for each Orthanc that shall have it.
    """
    done = folder / "done"
    setup = OrthancSetup("samples", folder, free_port())
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with setup.start():
            done.write_text(str(upload(setup.url, STUDIES)), "ascii")
    return setup.storage


@contextmanager
def running(setup: OrthancSetup, samples: Path) -> Iterator[Process]:
    """Run an Orthanc that holds a copy of the storage `samples`."""
    shutil.rmtree(setup.storage, ignore_errors=True)
    shutil.copytree(samples, setup.storage)
    with setup.start() as process:
        yield process
