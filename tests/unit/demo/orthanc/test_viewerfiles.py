"""Orthanc serves the viewer's files, and nothing beside them."""

from pathlib import Path

import pytest

from demo.orthanc.viewerfiles import ViewerFiles


@pytest.fixture
def files(tmp_path: Path) -> ViewerFiles:
    folder = tmp_path / "viewer"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("page")
    (folder / "assets" / "code.js").write_text("js")
    (folder / "x.wasm").write_text("wasm")
    (folder / "x.unknown-suffix").write_text("?")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "our.js").write_text("ours")
    return ViewerFiles(folder, tmp_path / "our.js")


@pytest.mark.parametrize("path", ["/ohif/", "/ohif/viewer", "/ohif/index.html"])
def test_a_page_of_the_application_is_the_index(path: str, files: ViewerFiles) -> None:
    assert files.find(path) == (b"page", "text/html")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/ohif/assets/code.js", "text/javascript"),
        ("/ohif/x.wasm", "application/wasm"),
        ("/ohif/x.unknown-suffix", "application/octet-stream"),
    ],
)
def test_a_file_has_its_media_type(
    path: str, media_type: str, files: ViewerFiles
) -> None:
    found = files.find(path)
    assert found is not None
    assert found.media_type == media_type


@pytest.mark.parametrize(
    "path", ["/ohif/../secret.txt", "/ohif//etc/hosts.x", "/ohif/gone.js", "/ohif/a.b/"]
)
def test_nothing_outside_the_folder_is_sent(path: str, files: ViewerFiles) -> None:
    found = files.find(path)
    assert found is None or found.content == b"page"


def test_a_folder_that_is_not_there_stops_orthanc(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ViewerFiles(tmp_path / "gone", tmp_path)
    with pytest.raises(FileNotFoundError):
        ViewerFiles(tmp_path, tmp_path / "gone")


def test_the_configuration_is_ours(files: ViewerFiles) -> None:
    assert files.find("/ohif/app-config.js") == (b"ours", "text/javascript")
