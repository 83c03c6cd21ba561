"""A running token-service with its page for people, and somebody who uses it."""

import asyncio
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from orthanc_share.store.records import NewShare, Origin
from orthanc_share.store.store import Store, open_store
from tests.support.server import serve
from tests.support.service import MovableClock
from tests.support.settings import token_service_settings
from token_service.app import create_app

ANNA = ("anna", "a-long-password-of-annas")
"""A login of the site."""

BEN = ("ben", "another-password-of-bens")
"""Another one."""

STUDY = "1.2.276.0.99.1"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STAFF = Origin("anna", "192.0.2.10", "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0")
VISITOR = Origin(
    address="198.51.100.7",
    user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1",
)

RECEIVER = "https://ris.example.org/opened?key=canary"
"""Who is told when the share that was used most is opened."""

# To read the certificates takes longer than all else that a client does.
_TLS = ssl.create_default_context()
_TOKEN = re.compile(r'name="token" value="([^"]*)"')


def database(folder: Path) -> str:
    """Return the address of the database of a site with its data in `folder`."""
    return f"sqlite:///{folder / 'orthanc-share.sqlite'}"


class Person:
    """Somebody with a browser without JavaScript.

    Args:
        base: Address of the service.
        headers: What the browser sends with each request.
    """

    def __init__(self, base: str, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http = httpx.Client(
            base_url=f"{base}/manage/",
            headers=named,
            verify=_TLS,
            # No connection outlives its answer: nobody needs to close the client.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self.token = ""

    def get(self, path: str = "", **query: str) -> httpx.Response:
        """Open a page, and keep the token of its forms."""
        answer = self.http.get(path, params=query or None)
        found = _TOKEN.search(answer.text)
        self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form, with the token of the page before; `_` in names becomes `-`."""
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        return self.http.post(path, data={"token": self.token} | named)

    def sign_in(
        self, user: str = ANNA[0], password: str = ANNA[1], leading: str = ""
    ) -> httpx.Response:
        """Fill in the form of the login, and open the list."""
        self.get("login")
        answer = self.post("login", user=user, password=password, next=leading)
        if answer.status_code == 303:
            self.get()
        return answer

    def create(self, **fields: Any) -> httpx.Response:
        """Fill in the form of a new share."""
        usual = {
            "studies": STUDY,
            "type": "stone-viewer-publication",
            "duration": "86400",
        }
        return self.post("create", **usual | fields)

    def created(self, **fields: Any) -> str:
        """Create a share and return its id."""
        answer = self.create(**fields)
        found = re.search(r'shares/([\w-]{22})"', answer.text)
        assert found is not None, answer.text
        return found[1]


@contextmanager
def managed(
    folder: Path, clock: MovableClock | None = None, **settings: Any
) -> Iterator[str]:
    """Run a token-service with a registry in `folder`, and give its address."""
    values: dict[str, Any] = {
        "registry": True,
        "data_dir": folder,
        "users": dict([ANNA, BEN]),
    }
    chosen = token_service_settings(**values | settings)
    with serve(create_app(chosen, clock=clock or MovableClock())) as base:
        yield base


def fill(folder: Path, now: datetime) -> dict[str, str]:
    """Make synthetic shares with a past; return their ids by what they stand for."""
    return asyncio.run(_fill(folder, now))


async def _fill(folder: Path, now: datetime) -> dict[str, str]:
    async with open_store(database(folder)) as store:
        ids = await _shares(store, now)
        await _use(store, ids["used"], now)
        before = now - 20 * DAY
        await store.openings.open_once(ids["expired"], now=before, origin=VISITOR)
        await store.openings.open_once(ids["used-up"], now=now - DAY, origin=VISITOR)
        await store.revoker.revoke(
            ids["revoked"],
            now=now - 5 * DAY,
            origin=STAFF,
            reason="Sent to the wrong practice",
        )
    return ids


async def _shares(store: Store, now: datetime) -> dict[str, str]:
    made = {
        "expired": _new("Teaching file: hips", now - 40 * DAY, now - 10 * DAY),
        "revoked": _new("For the practice Meyer", now - 6 * DAY, now + 24 * DAY),
        "not-yet": _new(
            "Case of Friday's conference",
            now - 2 * DAY,
            now + 10 * DAY,
            starts=now + 3 * DAY,
            kind=ShareType.VOLVIEW_PUBLICATION,
        ),
        "used-up": _new(
            "Second opinion, spine",
            now - 2 * DAY,
            now + 5 * DAY,
            creator="ben",
            max_openings=1,
        ),
        "endless": _new(None, now - 30 * HOUR, None, label="ris-2026-004711"),
        "anonymized": _new(
            "Training set 7",
            now - 20 * HOUR,
            now + 300 * DAY,
            flavour=Flavour.ANONYMIZED,
            kind=ShareType.OHIF_PUBLICATION,
            creator="ben",
        ),
        "used": _new(
            "MRI of the knee, for Dr. Lindqvist",
            now - 26 * DAY,
            now + 34 * DAY,
            max_openings=60,
            password_hash="x",
            notify=RECEIVER,
        ),
    }
    for new, created in made.values():
        await store.shares.create(new, now=created, origin=STAFF)
    return {name: new.share.id for name, (new, _) in made.items()}


def _new(
    title: str | None,
    begun: datetime,
    ends: datetime | None,
    *,
    starts: datetime | None = None,
    kind: ShareType = ShareType.STONE_PUBLICATION,
    flavour: Flavour = Flavour.STANDARD,
    creator: str = "anna",
    **others: Any,
) -> tuple[NewShare, datetime]:
    study = Resource(dicom_uid=STUDY, orthanc_id=ORTHANC_ID)
    name = re.sub(r"\W", "", title or "endless")[:20]
    share = Share(
        id=f"{name:_<22}",
        type=kind,
        resources=(study,),
        flavour=flavour,
        issued_at=begun,
        not_before=starts,
        expires_at=ends,
        needs_opening="max_openings" in others,
    )
    return NewShare(share, creator, title=title, **others), begun


async def _use(store: Store, share_id: str, now: datetime) -> None:
    for day, openings in {25: 2, 24: 5, 20: 1, 13: 3, 12: 8, 6: 4, 3: 2, 0: 1}.items():
        for number in range(openings):
            await store.openings.open_once(
                share_id, now=now - day * DAY - number * HOUR / 4, origin=VISITOR
            )
    await store.openings.deny(
        share_id, "wrong-password", now=now - 3 * HOUR, origin=VISITOR
    )
