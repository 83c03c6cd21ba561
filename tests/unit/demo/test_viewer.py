"""OHIF is taken from npm's package as it was examined, and nothing else."""

import hashlib
import io
import tarfile
from base64 import b64encode
from pathlib import Path

import pytest

from demo import processes, viewer
from demo.viewer import ViewerUnavailableError, configuration, prepare

FILES = {
    "package/package.json": b"{}",
    "package/dist/app.bundle.js": b'__webpack_require__.p = "/"; other("/")',
    "package/dist/app.bundle.css": b"src:url(/font.woff2)",
    "package/dist/assets/icon.png": b'\x89"/"',
    "package/dist/sw.js": b"importScripts('https://elsewhere')",
    "package/dist/init-service-worker.js": b"importScripts('https://elsewhere')",
    "package/dist/ort/model.wasm": b"large",
    "package/dist/app-config.js": b"theirs",
    "package/dist/../../escaped.js": b"evil",
    "package/dist/index.html": b'<script src="/app.bundle.js">window.PUBLIC_URL="/"',
}


def pack(files: dict[str, bytes], links: bool = True) -> bytes:  # noqa: FBT001, FBT002
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if links:
            link = tarfile.TarInfo("package/dist/link.js")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
    return stream.getvalue()


def digest(package: bytes) -> str:
    return b64encode(hashlib.sha512(package).digest()).decode()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package that `npm pack` will bring; no file, and npm fails."""
    folder = tmp_path / "bin"
    folder.mkdir()
    source = tmp_path / "package.tgz"
    script = folder / "npm"
    target = f"ohif-app-{viewer.VERSION}.tgz"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/calls\ncp {source} {target}\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(processes, "_SYSTEM_FOLDERS", ())
    return source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "viewer"


def test_the_application_is_unpacked_for_its_new_path(npm: Path, folder: Path) -> None:
    npm.write_bytes(pack(FILES))
    said: list[str] = []
    files = prepare(folder, said.append, digest(npm.read_bytes()))
    found = {
        str(path.relative_to(files)): path.read_text("latin-1")
        for path in files.rglob("*")
        if path.is_file()
    }
    assert found == {
        "app.bundle.js": '__webpack_require__.p = "/ohif/"; other("/")',
        "app.bundle.css": "src:url(/ohif/font.woff2)",
        "assets/icon.png": '\x89"/"',
        "init-service-worker.js": viewer._NO_SERVICE_WORKER,
        "index.html": '<script src="/ohif/app.bundle.js">window.PUBLIC_URL="/ohif/"',
    }
    assert len(said) == 1
    assert not list(folder.parent.rglob("escaped.js"))


def test_no_script_of_the_package_runs(npm: Path, folder: Path, tmp_path: Path) -> None:
    npm.write_bytes(pack(FILES))
    prepare(folder, print, digest(npm.read_bytes()))
    expected = f"pack {viewer.PACKAGE} --ignore-scripts --silent\n"
    assert (tmp_path / "calls").read_text() == expected


def test_the_viewer_is_fetched_once(npm: Path, folder: Path) -> None:
    npm.write_bytes(pack(FILES))
    wanted = digest(npm.read_bytes())
    first = prepare(folder, print, wanted)
    npm.unlink()
    said: list[str] = []
    assert prepare(folder, said.append, wanted) == first
    assert said == []


def test_a_package_fetched_before_is_not_fetched_again(npm: Path, folder: Path) -> None:
    folder.mkdir()
    package = pack(FILES)
    (folder / f"ohif-app-{viewer.VERSION}.tgz").write_bytes(package)
    assert not npm.exists()
    assert prepare(folder, print, digest(package)).is_dir()


def test_another_package_is_refused_and_removed(npm: Path, folder: Path) -> None:
    npm.write_bytes(pack(FILES))
    with pytest.raises(ViewerUnavailableError, match="not the package"):
        prepare(folder, print)
    assert list(folder.iterdir()) == []


def test_a_package_without_application_is_refused(npm: Path, folder: Path) -> None:
    npm.write_bytes(pack({"package/package.json": b"{}"}, links=False))
    with pytest.raises(ViewerUnavailableError, match="no application"):
        prepare(folder, print, digest(npm.read_bytes()))


def test_without_npm_or_registry_there_is_no_viewer(
    npm: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not npm.exists()
    with pytest.raises(ViewerUnavailableError, match="cannot be fetched"):
        prepare(folder, print)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ViewerUnavailableError, match="apt-get install npm"):
        prepare(folder, print)


def test_the_configuration_is_the_deployments_with_another_path() -> None:
    deployed = viewer.CONFIGURATION.read_text()
    assert viewer.DICOMWEB in deployed
    assert configuration(viewer.DICOMWEB) == deployed
    assert '"/dicom-web"' in configuration("/dicom-web")
    assert viewer.DICOMWEB not in configuration("/dicom-web")
