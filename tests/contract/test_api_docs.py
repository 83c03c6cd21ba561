"""The curl lines of `docs/api.md`, run as they stand there, against a real server."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.domain import errors as domain_errors
from orthanc_share.domain.clock import utc_now
from orthanc_share.registry.announcing import Announcer
from orthanc_share.store import errors as store_errors
from orthanc_share.upstream.notices import sign, signing_key
from orthanc_share.web.json_body import UnreadableBodyError
from orthanc_share.web.problems import InvalidMembersError
from tests.support.managed import Managed, managed
from tests.support.real import require
from tests.support.service import NOW
from tests.support.settings import USER
from tests.unit.shared.registry.test_announcing import KEPT
from token_service.audit_wire import AuditQuery
from token_service.reading import UnreadableQueryError
from token_service.registry_requests import SharesQuery
from token_service.spelling import GUARDED

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
"""The page that promises."""

ADDRESS = "http://localhost:8000"
"""The service in the page's lines."""

LINES = re.findall(r"```sh\n(curl .*?)```", PAGE, re.DOTALL)

KEYS = ["hT5wQz8LkP2vRx9JmN4cYb7GdS1fAe6U", f"whsec_{'QUJD' * 8}"]
"""Keys of notices in both forms; made up, for tests only."""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Managed]:
    with managed(tmp_path) as started:
        yield started


def curl(site: Managed, text: str, share: str, folder: Path) -> bytes:
    """Run the one line that holds `text`, as a person would, in a shell."""
    require("curl")
    (line,) = (line for line in LINES if text in line)
    script = line.replace(ADDRESS, site.service.base).replace("SHARE", share)
    done = subprocess.run(
        [require("bash"), "-c", script],
        capture_output=True,
        check=True,
        timeout=60,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PASSWORD": USER[1]},
    )
    return done.stdout


def test_every_line_does_what_the_page_says(site: Managed, tmp_path: Path) -> None:
    def run(text: str, share: str = "") -> Any:
        return json.loads(curl(site, text, share, tmp_path))

    made = run("-X PUT")
    share = made["share-id"]
    assert [one["id"] for one in run("status=active")["shares"]] == [share]
    shown = run("/shares/SHARE\n", share)
    assert (shown["title"], shown["max-openings"]) == ("Knee, second opinion", 3)
    assert shown["has-password"] is True
    events = run("/SHARE/events", share)["events"]
    assert [one["event"] for one in events] == ["created"]
    changed = run("-X PATCH", share)
    assert changed["expires"] == "2099-12-31T17:00:00+00:00"
    assert (changed["max-openings"], changed["has-password"]) == (10, False)
    assert run("/link\n", share)["url"].startswith("https://")
    curl(site, "qr.svg", share, tmp_path)
    assert b"<svg" in (tmp_path / "qr.svg").read_bytes()
    assert run("dry-run") == {"revoked": 1, "dry-run": True}
    revoked = run("-X DELETE", share)["revoked"]
    assert revoked["reason"] == "Sent to the wrong person"
    trail = run("/audit/events")["events"]
    happened = [one["event"] for one in trail]
    assert (happened[0], happened[-1]) == ("created", "revoked")
    verdict = run("/audit/verify")
    assert verdict["intact"] is True
    assert verdict["anchor"] == f"{len(trail)}:{trail[-1]['hash']}"
    assert len(LINES) == 11


def test_every_member_of_the_query_is_on_the_page() -> None:
    fields = {**SharesQuery.model_fields, **AuditQuery.model_fields}
    names = [field.alias or name for name, field in fields.items()]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_member_that_guards_a_share_is_on_the_page() -> None:
    assert [name for name in GUARDED if f"\n| `{name}` |" not in PAGE] == []


def test_the_page_tells_all_of_a_notice() -> None:
    body = json.loads(Announcer()(KEPT, NOW)[0].body)
    (section,) = re.findall(
        r"^## Notices of openings\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL
    )
    (sample,) = re.findall(r"```json\n(.*?)```", section, re.DOTALL)
    assert list(json.loads(sample)) == list(body)
    rows = [line.split("|")[1] for line in section.splitlines() if line[:1] == "|"]
    told = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert told == {*body, *sign(b"", "", NOW, b"")}


@pytest.mark.parametrize("key", KEYS)
def test_a_receiver_can_tell_as_the_page_says_who_sent_a_notice(key: str) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is ours
    is_genuine, now, body = names["is_genuine"], utc_now(), b'{"id":"msg_1"}'

    def headers(at: datetime, secret: str = key) -> Mapping[str, str]:
        return sign(signing_key(secret), "msg_1", at, body)

    good = headers(now)
    rotated = f"v1,AAAA {good['webhook-signature']}"
    assert is_genuine(key, good, body)
    assert is_genuine(key, {**good, "webhook-signature": rotated}, body)
    assert not is_genuine(key, good, body + b" ")
    assert not is_genuine(key, {**good, "webhook-id": "msg_2"}, body)
    assert not is_genuine(key, headers(now, "another key of enough bytes"), body)
    assert not is_genuine(key, headers(now - timedelta(minutes=10)), body)


def test_every_problem_of_the_page_can_happen() -> None:
    kinds: list[type[domain_errors.OrthancShareError]] = [
        *(UnreadableBodyError, UnreadableQueryError, InvalidMembersError),
        *(domain_errors.RegistryOffError, domain_errors.InvalidLifetimeError),
        *(domain_errors.LimitNotEnforceableError, domain_errors.NoShortLinkError),
        domain_errors.NoticeAddressError,
        *(store_errors.ShareNotFoundError, store_errors.ShareRevokedError),
        *(store_errors.InvalidCursorError, store_errors.InvalidSelectionError),
        store_errors.StoreUnavailableError,
    ]
    rows = [line for line in PAGE.splitlines() if re.match(r"\| \d{3} ", line)]
    told = {code for row in rows for code in re.findall(r"`([a-z]+_[a-z_]+)`", row)}
    assert told == {kind.code for kind in kinds}
