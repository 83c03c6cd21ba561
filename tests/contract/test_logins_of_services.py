"""Services that face the public ask and open links; their logins do nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.service import Service, creation, running
from tests.support.settings import USER

LANDING = ("landing", "a long password of landing")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("data")
    users = dict([USER, LANDING])
    with running(
        registry=True, data_dir=folder, users=users, neighbours=("landing",)
    ) as made:
        yield made


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/shares"),
        ("PUT", "/tokens/stone-viewer-publication"),
        ("GET", "/shares"),
        ("POST", "/shares/revoke"),
        ("GET", "/audit/events"),
        ("POST", "/audit/verify"),
        ("GET", "/settings/roles"),
        ("PUT", "/settings/roles"),
    ],
)
def test_they_make_and_manage_nothing(service: Service, method: str, path: str) -> None:
    body = None if method == "GET" else creation()
    asked = replace(service, login=LANDING).call(method, path, body)
    assert asked.status == 401
    assert service.call(method, path, body).status != 401


def test_they_ask_and_open_links(service: Service) -> None:
    neighbour = replace(service, login=LANDING)
    token = service.token()
    assert neighbour.is_granted(token)
    looked = neighbour.call("POST", "/links/look", {"token": token})
    assert looked.json["outcome"] == "ready"
    assert neighbour.call("GET", "/shares/news?cursor=0").status == 200
