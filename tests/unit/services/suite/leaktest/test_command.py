"""`orthanc-share leak-test` finds what comes out, and says when it tested nothing."""

import socket
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result
from typing_extensions import override

from suite.cli import cli
from suite.leaktest.collect import collected, identities
from suite.leaktest.needles import Kind
from suite.leaktest.odd import FOREIGN_MAX, foreign_requests, odd_requests
from suite.leaktest.requests import (
    every_accept,
    every_query,
    narrow,
    requests,
    sample,
    sensitive_bulk,
)
from suite.leaktest.routes import ROUTES
from suite.leaktest.transport import site
from suite.leaktest.world import UnexpectedAnswerError, World, explore
from tests.support.server import serve
from tests.unit.services.suite.leaktest.site import (
    METADATA,
    PSEUDONYMS,
    UIDS,
    Shown,
    clean,
    orthanc,
    running,
)


@contextmanager
def both(share: Shown, raw: Shown) -> Iterator[tuple[str, str]]:
    with running(share) as url, running(raw) as behind:
        yield url, behind


def leak_test(share: Shown, raw: Shown, *options: str, text: str = "token") -> Result:
    with both(share, raw) as (url, behind):
        command = ["leak-test", url, "--orthanc", behind, "--study", UIDS[0], *options]
        return CliRunner().invoke(cli, command, input=text, catch_exceptions=False)


def test_a_site_that_lets_nothing_through_passes() -> None:
    share, raw = clean(), orthanc()
    result = leak_test(share, raw)
    assert result.exit_code == 0, result.output
    assert "Nothing came out." in result.output
    assert "requests, " in result.output
    # The raw Orthanc is explored and asked for its metadata, not crawled.
    assert {method for method, _path in raw.asked} == {"GET", "POST"}
    assert len(raw.asked) < 20
    assert len(share.asked) > 500


def test_a_leak_is_reported_without_its_value() -> None:
    share = clean()
    share.known["00100010"] = METADATA["00100010"]
    result = leak_test(share, orthanc())
    assert result.exit_code == 1
    assert "/metadata" in result.output
    assert "text from 00100010" in result.output
    assert "DOEFAMILY" not in result.output


def test_values_are_shown_when_they_are_wanted(tmp_path: Path) -> None:
    share = clean()
    share.known["00100010"] = METADATA["00100010"]
    token = tmp_path / "token"
    token.write_text("token\n", "ascii")
    options = ("--show-values", "--token-file", str(token), "--username", "u")
    result = leak_test(share, orthanc(), *options)
    assert result.exit_code == 1
    assert "DOEFAMILY" in result.output


def test_what_the_profile_keeps_is_no_leak() -> None:
    share = clean()
    share.known["00100020"] = METADATA["00100020"]
    assert leak_test(share, orthanc()).exit_code == 1
    assert leak_test(share, orthanc(), "--keep", "00100020").exit_code == 0


def test_logs_are_searched_too(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("GET /studies PATIENT-12345", "ascii")
    result = leak_test(clean(), orthanc(), "--log", str(log))
    assert result.exit_code == 1
    assert "access.log: text from 00100020" in result.output


def broken() -> Shown:
    shown = clean()
    shown.is_broken = True
    return shown


def empty(shown: Shown) -> Shown:
    shown.is_empty = True
    return shown


def without_values() -> Shown:
    return Shown(("1.2.3", "1.2.4", "1.2.5"), {})


@pytest.mark.parametrize(
    ("share", "raw", "why"),
    [
        (broken(), orthanc(), "answered 502"),
        (empty(clean()), orthanc(), "The share shows no image."),
        (clean(), empty(orthanc()), "Orthanc has no image"),
    ],
)
def test_a_test_that_proves_nothing_fails(share: Shown, raw: Shown, why: str) -> None:
    result = leak_test(share, raw)
    assert result.exit_code == 2
    assert why in result.output


def test_a_search_that_finds_nothing_in_orthanc_proves_nothing() -> None:
    raw = without_values()
    with both(clean(), raw) as (url, behind):
        command = ["leak-test", url, "--orthanc", behind, "--study", "1.2.3"]
        result = CliRunner().invoke(cli, command, input="token")
    assert result.exit_code == 2
    assert "finds nothing even in Orthanc" in result.output


def test_a_site_that_does_not_answer_is_no_test() -> None:
    with running(orthanc()) as behind:
        command = ["leak-test", "http://127.0.0.1:1", "--orthanc", behind]
        result = CliRunner().invoke(cli, [*command, "--study", UIDS[0]], input="t")
    assert result.exit_code == 2
    assert "no answer" in result.output


@pytest.mark.parametrize(
    ("url", "options", "text", "why"),
    [
        ("pacs.example.org", (), "t", "an address is http:// or https://"),
        ("ftp://127.0.0.1/", (), "t", "an address is http:// or https://"),
        ("http://", (), "t", "an address is http:// or https://"),
        ("http://127.0.0.1:99999/", (), "t", "an address is http:// or https://"),
        ("http://127.0.0.1:0/", (), "t", "an address is http:// or https://"),
        ("http://[::1/", (), "t", "an address is http:// or https://"),
        ("http://u:p@127.0.0.1/", (), "t", "an address is http:// or https://"),
        ("http://127.0.0.1/?a=b", (), "t", "an address is http:// or https://"),
        ("http://127.0.0.1:1/", ("--orthanc", "orthanc:8042"), "t", "an address is"),
        ("http://127.0.0.1:1/", ("--study", "1.2/../3"), "t", "a StudyInstanceUID is"),
        ("http://127.0.0.1:1/", (), "", "a token is one line"),
        ("http://127.0.0.1:1/", (), "two\nlines", "a token is one line"),
        ("http://127.0.0.1:1/", (), "t\u00f6k", "a token is one line"),
        ("http://127.0.0.1:1/", ("--token-file", "/no"), "t", "/no: No such file"),
        ("http://127.0.0.1:1/", ("--log", "/no"), "t", "/no: No such file"),
    ],
)
def test_wrong_usage_gets_one_line(
    url: str, options: tuple[str, ...], text: str, why: str
) -> None:
    study = () if "--study" in options else ("--study", "1.2")
    command = ["leak-test", url, "--orthanc", "http://127.0.0.1:1/", *study, *options]
    result = CliRunner().invoke(cli, command, input=text, catch_exceptions=False)
    assert result.exit_code == 2
    (line,) = result.output.splitlines()
    assert line.startswith("No test: ")
    assert why in line


@pytest.mark.parametrize("body", ["<html>", '{"a": 1}', '["x"]', '[{"0020000D": 1}]'])
def test_what_is_no_dicom_json_is_said_to_be_none(body: str) -> None:
    async def answer(_request: Request) -> Response:
        return Response(body)

    with serve(Starlette(routes=[Route("/{path:path}", answer)])) as url:
        command = ["leak-test", url, "--orthanc", url, "--study", "1.2"]
        result = CliRunner().invoke(cli, command, input="t", catch_exceptions=False)
    assert result.exit_code == 2
    assert result.output == "No test: Orthanc: an answer is no DICOM JSON.\n"


class NoHttp(socketserver.BaseRequestHandler):
    """Answers as a mail server does."""

    @override
    def handle(self) -> None:
        self.request.recv(1 << 16)
        self.request.sendall(b"220 mail.example.org\r\n")


def test_what_speaks_no_http_is_named() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), NoHttp) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        command = ["leak-test", url, "--orthanc", url, "--study", "1.2"]
        result = CliRunner().invoke(cli, command, input="t", catch_exceptions=False)
        server.shutdown()
        thread.join()
    assert result.exit_code == 2
    assert result.output == "No test: Orthanc: what answers does not speak HTTP.\n"


def test_a_site_that_only_fails_is_no_test() -> None:
    share = clean()
    share.fails_after = 8
    result = leak_test(share, orthanc())
    assert result.exit_code == 2
    assert "it showed nothing while it was asked" in result.output


class Cut(socketserver.BaseRequestHandler):
    """Hands requests on to a site, and breaks off when its server has no more left."""

    server: "Cutting"

    @override
    def handle(self) -> None:
        with socket.create_connection(self.server.site) as site:
            site.settimeout(0.1)
            while self.server.left and (data := self.request.recv(1 << 16)):
                self.server.left -= 1
                site.sendall(data)
                with suppress(TimeoutError):
                    while answer := site.recv(1 << 16):
                        self.request.sendall(answer)


class Cutting(socketserver.ThreadingTCPServer):
    """A site that goes away after some requests.

    Args:
        site: Host and port of the site.
    """

    def __init__(self, site: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Cut)
        self.site = site
        self.left = 20


def test_a_site_that_goes_away_is_no_test() -> None:
    with both(clean(), orthanc()) as (url, behind):
        address = urlsplit(url)
        with Cutting((str(address.hostname), address.port or 0)) as server:
            thread = Thread(target=server.serve_forever)
            thread.start()
            cut = f"http://127.0.0.1:{server.server_address[1]}/"
            command = ["leak-test", cut, "--orthanc", behind, "--study", UIDS[0]]
            result = CliRunner().invoke(cli, command, input="t", catch_exceptions=False)
            server.shutdown()
            thread.join()
    assert result.exit_code == 2
    assert result.output.startswith("No test: the anonymizer: no answer (")
    assert len(result.output.splitlines()) == 1


def explored(shown: Shown) -> World:
    with running(shown) as url, site(url) as asked:
        return explore(asked, [shown.uids[0]])


def test_what_identifies_is_collected_from_the_metadata() -> None:
    needles = {needle.value: needle for needle in collected(explored(orthanc()))}
    assert {*UIDS, "1.2.276.0.99.4", "PATIENT-12345", "18501231"} <= needles.keys()
    assert {"DOEFAMILY^JANEGIVEN", "DOEFAMILY", "JANEGIVEN"} <= needles.keys()
    assert {"18491130", "18491130235959"} <= needles.keys()
    assert needles["18501231"].kind is Kind.DATE
    assert needles["1.2.276.0.99.4"].source == "00081140/00081155"
    # Too short, of the standard, known codes, numbers, addresses.
    left_out = {"1030", "1.2.840.10008.5.1.4.1.1.2", "A code meaning", "3.5"}
    assert not left_out & needles.keys()
    assert "http://orthanc/dicom-web/studies" not in needles


def test_identities_are_ids_and_what_names_the_patient() -> None:
    world = explored(orthanc())
    values = {needle.value for needle in identities(world, collected(world))}
    assert {*UIDS, "PATIENT-12345", "the-patient-id"} <= values
    assert "18491130" not in values


def test_exploring_finds_ids_frames_and_bulk_data() -> None:
    world = explored(orthanc())
    (instance,) = world.instances
    assert (instance.uid, instance.frames, instance.bulk) == (UIDS[2], 3, ("00282000",))
    assert world.uids == set(UIDS)
    assert world.ids == {"the-patient-id", *(f"{uid}-id" for uid in UIDS)}


def test_a_site_that_answers_otherwise_is_not_explored() -> None:
    with (
        running(broken()) as url,
        site(url) as asked,
        pytest.raises(UnexpectedAnswerError, match=r"studies answered 502"),
    ):
        explore(asked)


def test_every_request_is_made_of_what_is_shown() -> None:
    world = explored(clean())
    every = [*requests(world), *every_accept(narrow(world)), *every_query(world)]
    every += [*odd_requests(sample(world)), *sensitive_bulk(world)]
    assert not [ask.template for ask in every if "{" in ask.path]
    assert {ask.template for ask in requests(world)} >= {
        route.template for route in ROUTES if "{tag_path}" not in route.template
    }
    assert any(PSEUDONYMS[2] in ask.path for ask in every)
    assert all("evil" not in ask.path for ask in every if ask.method == "GET")


def test_foreign_requests_are_few_on_each_route() -> None:
    world = explored(orthanc())
    many = [ask for ask in foreign_requests(world) if "/frames/" in ask.path]
    assert many
    assert len(list(foreign_requests(world))) <= FOREIGN_MAX * len(ROUTES)
