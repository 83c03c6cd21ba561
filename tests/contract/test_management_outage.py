"""Managing shares while the database is away, and when it is back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from orthanc_share.store import database
from tests.support.managed import Managed, managed
from tests.support.outage import is_unavailable, until
from tests.support.postgres import running_postgres
from tests.support.replay import Answer

NO_SHARE = "AbCdEfGhIjKlMnOpQrStUv"
READING = [
    ("GET", "/shares"),
    ("GET", "/shares?status=active"),
    ("GET", "/shares/{share}"),
    ("GET", "/shares/{share}/events"),
    ("GET", "/shares/news?cursor=0"),
    ("POST", "/links/look"),
    ("GET", "/audit/events"),
    ("POST", "/audit/verify"),
]
WRITING = [
    ("PATCH", "/shares/{share}"),
    ("DELETE", "/shares/{share}"),
    ("POST", "/shares/revoke"),
    ("POST", "/shares/{share}/link"),
    ("GET", "/shares/{share}/qr.svg"),
    ("GET", "/shares/{share}/qr.png"),
    ("POST", "/links/open"),
    ("POST", "/shares/tallies"),
    ("PUT", "/shares"),
]
BODIES = {
    "/audit/verify": {},
    "/links/look": {"code": "x"},
    "/links/open": {"code": "x"},
    "/shares/revoke": {"study": "1.2.3"},
    "/shares/tallies": {"tallies": [{"share-id": NO_SHARE, "granted": 1}]},
    "/shares": {"type": "stone-viewer-publication", "dicom-uid": "1.2.3"},
    "/shares/{share}": {"title": "x"},
}


def asked(site: Managed, method: str, path: str, share: str) -> Answer:
    """Send a request that is good."""
    body = BODIES.get(path) if method in {"PATCH", "POST", "PUT"} else None
    return site.service.call(method, path.replace("{share}", share), body)


def test_without_postgresql_everything_says_later_and_then_works_again(
    tmp_path: Path,
) -> None:
    with running_postgres() as server:
        address = server.new_database()
        with managed(tmp_path, database_url=address) as site:
            share = site.share()
            server.stop("immediate")
            for method, path in (*READING, *WRITING):
                answer = asked(site, method, path, share)
                assert is_unavailable(answer), (method, path, answer.raw)
            assert site.get("/ready").status == 503
            server.start()
            until(lambda: site.get(f"/shares/{share}").status == 200)
            assert site.change(share, title="x").status == 200


def test_validate_goes_by_what_is_known_for_the_grace_and_then_denies(
    tmp_path: Path,
) -> None:
    grace = timedelta(seconds=6)
    with running_postgres() as server:
        address = server.new_database()
        with managed(tmp_path, database_url=address, registry_grace=grace) as site:
            service = site.service
            known, revoked = service.made(), service.made()
            site.good("DELETE", f"/shares/{revoked['share-id']}")
            until(lambda: not service.is_granted(revoked["token"]))
            server.stop("immediate")
            assert service.is_granted(known["token"])
            assert not service.is_granted(revoked["token"])
            until(lambda: not service.is_granted(known["token"]))
            assert not service.is_granted(revoked["token"])
            server.start()
            until(lambda: service.is_granted(known["token"]))
            assert not service.is_granted(revoked["token"])


def test_a_database_that_comes_later_is_found(tmp_path: Path) -> None:
    with running_postgres() as server:
        address = server.new_database()
        server.stop("immediate")
        with managed(tmp_path, database_url=address) as site:
            for method, path in (*READING, *WRITING):
                answer = asked(site, method, path, NO_SHARE)
                assert is_unavailable(answer), (method, path, answer.raw)
            server.start()
            until(lambda: site.get("/shares").status == 200)
            assert site.shown(site.share())["status"] == "active"


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Write to a database of SQLite, and do not come to an end."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_file_that_somebody_else_writes_to_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    with managed(tmp_path) as site:
        share = site.share()
        # A link that is looked up first needs one that is there.
        code = site.good("POST", f"/shares/{share}/link")["url"].rpartition("/")[2]
        with locked(tmp_path / "orthanc-share.sqlite"):
            for method, path in READING:
                assert asked(site, method, path, share).status == 200, path
            for method, path in WRITING:
                if path == "/links/open":
                    answer = site.service.call(method, path, {"code": code})
                else:
                    answer = asked(site, method, path, share)
                assert is_unavailable(answer), (method, path, answer.raw)
        assert site.shown(share)["title"] is None
        assert site.change(share, title="x").status == 200
