"""The page for people behind the deployment's nginx: off, until it is switched on."""

from pathlib import Path

import httpx
import pytest

from demo.nginx import Proxy
from tests.support.manage import Person, managed
from tests.support.nginx import running_nginx


def host(base: str) -> str:
    return base.removeprefix("http://")


def test_it_is_not_public(tmp_path: Path) -> None:
    assert Proxy().expose_manage == "off"
    with (
        managed(tmp_path) as base,
        running_nginx(tmp_path, token_service=host(base)) as nginx,
    ):
        for path in ("manage", "manage/", "manage/login", "manage/static/manage.css"):
            assert httpx.get(f"{nginx.url}{path}").status_code == 404


def test_switched_on_it_works_for_staff(tmp_path: Path) -> None:
    with (
        managed(tmp_path, trusted_proxies="127.0.0.1") as base,
        running_nginx(tmp_path, token_service=host(base), expose_manage="on") as nginx,
    ):
        answer = httpx.get(f"{nginx.url}manage")
        assert (answer.status_code, answer.headers["location"]) == (308, "manage/")
        anna = Person(nginx.url.rstrip("/"))
        assert anna.sign_in().status_code == 303
        shown = anna.get(f"shares/{anna.created(title='Through nginx')}")
        assert "Through nginx" in shown.text
        assert shown.headers.get_list("x-frame-options") == ["DENY"]
        assert shown.headers.get_list("referrer-policy") == ["no-referrer"]
        assert "Through" not in nginx.access_log
        assert httpx.delete(f"{nginx.url}manage/").status_code == 405
        for other in ("managed", "manage.txt", "manage-x/"):
            assert httpx.get(f"{nginx.url}{other}").status_code == 404


@pytest.mark.parametrize(("allow", "status"), [("192.0.2.0/24", 403), ("all", 303)])
def test_only_the_staffs_network_reaches_it(
    tmp_path: Path, allow: str, status: int
) -> None:
    with (
        managed(tmp_path) as base,
        running_nginx(
            tmp_path,
            token_service=host(base),
            expose_manage="on",
            admin_allow=allow,
            public_proto="https",
        ) as nginx,
    ):
        assert httpx.get(f"{nginx.url}manage/").status_code == status
        if status == 303:
            cookie = httpx.get(f"{nginx.url}manage/login").headers["set-cookie"]
            assert cookie.endswith("; Secure")
