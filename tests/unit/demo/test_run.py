"""What the demo plans before it starts anything, and what it tells people."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo import __main__ as command, orthanc_server, viewer
from demo.calls import Reply
from demo.links import Link, Links, Service
from demo.orthanc_server import OrthancSetup, Viewer, upload
from demo.processes import Process, StartError
from demo.run import Choices, Running, _free, _viewer
from demo.sample_data import MR_STUDY
from demo.suite_server import Addresses

LINKS = Links(
    (Link("Head CT", "http://h/live", "t"),),
    Link("The same, de-identified", "http://h/hidden", "v"),
    Link("old", "http://h/old", "u"),
    "ohif-viewer-publication",
)


def demo(ohif: str | None = "http://h/ohif/", *processes: Process) -> Running:
    return Running(
        Service("http://s/", ("demo", "secret")),
        Addresses(
            "http://h/welcome/",
            "http://h/shares/",
            ohif,
            "http://h/anon-shares/",
            "http://127.0.0.1:1/",
        ),
        LINKS,
        OrthancSetup("admin", Path(), 8042, users={"demo": "secret"}),
        OrthancSetup("behind", Path(), 8042, users={"demo": "secret"}),
        processes,
    )


def test_ports_differ() -> None:
    port = _free(0, set())
    assert _free(port, {port}) != port


def test_no_viewer_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> Path:
        raise viewer.ViewerUnavailableError("no npm")

    monkeypatch.setattr(viewer, "prepare", fail)
    said: list[str] = []
    assert _viewer(Choices(tmp_path), "/dicom-web", said.append) is None
    assert said == ["without OHIF: no npm"]


def test_the_viewer_reads_from_where_orthanc_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "prepare", lambda folder, _say: folder)
    found = _viewer(Choices(tmp_path, viewers=tmp_path / "v"), "/dicom-web", print)
    assert found == Viewer(tmp_path / "v", tmp_path / "app-config.js")
    assert '"/dicom-web"' in found.configuration.read_text()


def test_a_program_that_ends_by_itself_ends_the_demo(tmp_path: Path) -> None:
    ended = Process(
        "shortlived",
        [sys.executable, "-c", ""],
        log=tmp_path / "log",
        ready=lambda: True,
    )
    with ended, pytest.raises(StartError, match="ended by itself: shortlived"):
        demo(None, ended).watch()


def test_without_orthanc_nothing_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orthanc_server, "find_program", lambda _name: None)
    with pytest.raises(StartError, match="apt-get install orthanc"):
        OrthancSetup("x", tmp_path, 1).start()


def test_samples_that_orthanc_refuses_stop_the_demo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(orthanc_server, "call", lambda *_: Reply(400, {}, b""))
    with pytest.raises(StartError, match="400"):
        upload("http://h/", [MR_STUDY])


def test_orthanc_keeps_to_this_machine_and_checks_before_dicomweb(
    tmp_path: Path,
) -> None:
    seen = OrthancSetup("x", tmp_path, 1, {"a": 1}, {"u": "hush"}).configuration()
    assert seen["RemoteAccessAllowed"] is False
    assert seen["DicomServerEnabled"] is False
    assert [Path(plugin).stem for plugin in seen["Plugins"]] == [
        "libOrthancPython",
        "libOrthancDicomWeb",
    ]
    assert seen["AuthenticationEnabled"] is True
    assert "hush" not in repr(OrthancSetup("x", tmp_path, 1, {}, {"u": "hush"}))


def test_people_are_told_the_links_and_how_to_make_another() -> None:
    text = command.describe(demo())
    for part in ("http://h/live", "http://h/old", "curl -u demo:secret", "Ctrl-C"):
        assert part in text
    assert "no viewer" not in text


def test_people_are_told_when_there_is_no_viewer() -> None:
    assert "There is no viewer without OHIF" in command.describe(demo(None))


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Choices]]:
    """What the demo is run with; it starts nothing, and ends by itself at once."""
    choices: list[Choices] = []

    @contextmanager
    def running(given: Choices, say: Callable[[str], None]) -> Iterator[Running]:
        say("starting")
        choices.append(given)
        yield demo()

    def watch(_demo: Running) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "running", running)
    monkeypatch.setattr(command, "check", lambda *_: [])
    monkeypatch.setattr(Running, "watch", watch)
    before = signal.getsignal(signal.SIGTERM)
    yield choices
    signal.signal(signal.SIGTERM, before)


def test_once_starts_and_stops(
    chosen: list[Choices], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["--once", "--port", "8090", "--state", str(tmp_path)]
    assert command.main([*arguments, "--without", "ohif"]) == 0
    assert chosen == [Choices(tmp_path, 8090, frozenset({"ohif"}))]
    assert "http://h/live" in capsys.readouterr().out


def test_a_problem_is_told_and_fails(
    chosen: list[Choices],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "check", lambda *_: ["opens nothing"])
    assert command.main(["--check"]) == 1
    assert chosen == [Choices(command.STATE)]
    assert "PROBLEM  opens nothing" in capsys.readouterr().err


def test_the_demo_runs_until_ctrl_c(
    chosen: list[Choices], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 0
    assert len(chosen) == 1
    assert "stopped" in capsys.readouterr().err


def test_what_cannot_start_says_why(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    chosen: list[Choices],
) -> None:
    def fail(*_arguments: Any) -> Any:
        raise StartError("Missing: orthanc")

    monkeypatch.setattr(command, "running", fail)
    assert command.main([]) == 1
    assert chosen == []
    assert capsys.readouterr().err == "demo: Missing: orthanc\n"


@pytest.mark.usefixtures("chosen")
def test_a_signal_to_stop_is_like_ctrl_c() -> None:
    assert command.main(["--once"]) == 0
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_an_impossible_port_is_refused(port: str) -> None:
    with pytest.raises(SystemExit):
        command.main(["--port", port])


def test_only_optional_parts_can_be_left_out() -> None:
    with pytest.raises(SystemExit):
        command.main(["--without", "orthanc"])
