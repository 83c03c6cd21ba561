"""The command line."""

import contextlib
import json
import signal
import socket
import sys
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.web.sharing import build_sharing
from suite.cli import cli, main
from suite.commands.serve import PORTS, Service
from tests.support.settings import token_service_settings
from tests.unit.services.suite.environment import (
    GOOD,
    answers,
    process,
    set_environment,
)
from tests.unit.shared.tokens.keys import OLD_SECRET_KEY

SHARE = Share(
    "share-1", ShareType.STONE_PUBLICATION, (Resource(Level.STUDY, "1.2.276.0.99.1"),)
)
TOKEN = build_sharing(token_service_settings()).codec.sign(SHARE)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    set_environment(monkeypatch, tmp_path, GOOD)


def call(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=given)


def test_ports_are_as_designed() -> None:
    assert [PORTS[one] for one in Service] == [8000, 8000, 8001, 8002]


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ((TOKEN,), None),
        ((), TOKEN),
        (("-",), f"{TOKEN}\n"),
        (("https://share.example.org/welcome/?token=" + TOKEN,), None),
    ],
    ids=["argument", "standard input", "dash", "link"],
)
def test_a_token_is_shown(arguments: tuple[str, ...], given: str | None) -> None:
    result = call("token", "inspect", *arguments, given=given)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["share"] == "share-1"


def test_a_token_that_is_not_ours_is_refused_without_being_told() -> None:
    other = build_sharing(token_service_settings(secret_key=OLD_SECRET_KEY))
    result = call("token", "inspect", other.codec.sign(SHARE))
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "invalid_token: The token's key is not ours.\n"


def test_wrong_settings_are_told_before_any_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SECRET_KEY")
    result = call("token", "inspect", TOKEN)
    assert result.exit_code == 2
    assert result.stderr.startswith("SECRET_KEY, SIGNING_KEY or VERIFICATION_KEYS")


def test_a_container_that_only_checks_links_can_look_into_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("USERS")
    assert call("token", "inspect", TOKEN).exit_code == 0


def test_the_command_tells_its_version() -> None:
    result = call("--version")
    assert result.exit_code == 0
    assert result.stdout == f"orthanc-share {version('orthanc-share')}\n"


def test_an_expired_token_is_still_shown() -> None:
    hour_ago = utc_now() - timedelta(hours=1)
    share = Share("share-2", SHARE.type, SHARE.resources, expires_at=hour_ago)
    expired = build_sharing(token_service_settings()).codec.sign(share)
    result = call("token", "inspect", expired)
    assert json.loads(result.stdout)["status"] == "expired"


def test_good_settings_are_reported_with_status_0() -> None:
    result = call("check-config")
    assert result.exit_code == 0
    assert "token-service: ok" in result.stdout
    assert "  SECRET_KEY = (set)" in result.stdout
    programs = call("check-config", "--json")
    assert json.loads(programs.stdout)["landing"]["problems"] == []


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_wrong_settings_are_reported_with_status_2(
    option: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    result = call("check-config", *option)
    assert result.exit_code == 2
    assert "SECRET_KEY is shorter than 32 bytes." in result.stdout
    assert "canary" not in result.output


@pytest.mark.parametrize("service", [[], *([str(one)] for one in Service)])
@pytest.mark.parametrize("workers", [[], ["--workers", "2"]])
def test_no_service_starts_with_wrong_settings(
    service: list[str], workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    result = call("serve", *service, "--port", "0", *workers)
    assert result.exit_code == 2
    assert result.stderr == "SECRET_KEY is shorter than 32 bytes.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["landing", "--separate"],
        ["--separate", "--workers", "2"],
        ["--separate", "--port", "65534"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--workers", "0"],
        ["nonsense"],
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    result = call("serve", *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("serve", "anonymizer", "--port", str(port))
    assert result.exit_code == 2
    told = "Cannot listen on 127.0.0.1: Address already in use"
    assert result.stderr.startswith(told)


def port_before_a_taken_one(taken: contextlib.ExitStack) -> int:
    """Return a free port whose neighbour is taken until the end of the stack."""
    while True:
        second = taken.enter_context(socket.create_server(("127.0.0.1", 0)))
        first = int(second.getsockname()[1]) - 1
        with (
            contextlib.suppress(OSError),
            socket.create_server(("127.0.0.1", first)),
        ):
            return first


def test_if_one_of_three_ports_is_taken_none_is_kept() -> None:
    with contextlib.ExitStack() as taken:
        first = port_before_a_taken_one(taken)
        result = call("serve", "--separate", "--port", str(first))
        assert result.exit_code == 2
    with socket.create_server(("127.0.0.1", first)):
        pass  # it is free again


def test_the_command_has_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["anything", "--help"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert "orthanc-share [OPTIONS] COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_port_until_a_signal(number: int, tmp_path: Path) -> None:
    arguments = ["-m", "suite", "serve", "--port", "0"]
    with process(tmp_path, *arguments) as running:
        address = running.addresses(1)["all"]
        for path in ("/health", "/welcome/health", "/anon-shares/health"):
            assert answers(address + path).status_code == 200
        running.signal(number)
        assert running.end() == 0
        assert_clean(running.lines)


def test_each_service_on_a_port_of_its_own(tmp_path: Path) -> None:
    arguments = ["-m", "suite", "serve", "--separate"]
    with process(tmp_path, *arguments, ORTHANC_SHARE_PORT="0") as running:
        addresses = running.addresses(3)
        assert list(addresses) == ["token-service", "landing", "anonymizer"]
        assert len(set(addresses.values())) == 3
        for address in addresses.values():
            assert answers(address + "/health").status_code == 200
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        assert_clean(running.lines)


def test_one_service_alone_on_an_address_of_version_6(tmp_path: Path) -> None:
    arguments = ["-m", "suite", "serve", "anonymizer", "--port", "0", "--host", "::1"]
    with process(tmp_path, *arguments) as running:
        address = running.addresses(1)["anonymizer"]
        assert address.startswith("http://[::1]:")
        assert answers(address + "/health").status_code == 200
        running.signal(signal.SIGINT)
        assert running.end() == 0


def test_several_workers_share_a_port(tmp_path: Path) -> None:
    arguments = ["-m", "suite", "serve", "anonymizer", "--port", "0", "--workers", "2"]
    with process(tmp_path, *arguments) as running:
        told = json.loads(running.wait_for("Uvicorn running on"))["message"]
        address = told.split()[3]
        for _ in range(2):
            running.wait_for("Application startup complete")
        assert answers(address + "/health").status_code == 200
        running.signal(signal.SIGTERM)
        assert running.end() == 0
        assert not any("Traceback" in line for line in running.lines)


def assert_clean(lines: list[str]) -> None:
    """See that every line is of ours: an address or JSON, and none is an error."""
    for line in filter(None, lines):
        if "listens on" not in line:
            assert json.loads(line)["level"] == "info"
