"""The servers of these tests: real, closed properly, and honest about failures."""

import socket
from typing import NoReturn
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from tests.support.replay import lines, studies, study_of
from tests.support.server import serve
from tests.support.service import running


def broken(_app: Starlette) -> NoReturn:
    """Fail before anything is served."""
    raise RuntimeError("This application cannot start.")


def test_an_application_that_does_not_start_is_told() -> None:
    serving = serve(Starlette(lifespan=broken))
    with pytest.raises(RuntimeError, match="did not start"):
        serving.__enter__()


def test_a_server_is_gone_when_its_test_is() -> None:
    with running() as service:
        address = urlsplit(service.base)
        kept = socket.create_connection((address.hostname, address.port))
    with kept:
        assert kept.recv(1) == b""
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address.hostname, address.port))


def test_a_line_without_a_study_is_about_the_first_one() -> None:
    nameless = [line for line in lines("profile") if "user-id" in str(line.body)]
    assert {study_of(line) for line in nameless} == {studies()[0]}
