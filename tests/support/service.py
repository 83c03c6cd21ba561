"""A running token-service, and the questions that its callers ask."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.replay import Answer, Study, send
from tests.support.server import serve
from tests.support.settings import USER, token_service_settings
from token_service.app import create_app

NOW = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)
"""The present instant of services in tests: after the recordings were made."""

STUDY = Study(
    "1.2.276.0.99.1", "11111111-22222222-33333333-44444444-55555555", frozenset()
)
"""A study, as protocol A and B show it."""

OTHER_STUDY = Study(
    "1.2.276.0.99.2", "66666666-77777777-88888888-99999999-aaaaaaaa", frozenset()
)
"""Another one."""

PUBLICATION = "stone-viewer-publication"
"""The type where none is asked for."""


class MovableClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the instant at which it stands."""
        return self.now

    def move(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Service:
    """A running token-service, seen by one caller.

    Args:
        base: Its address.
        login: Name and password of the caller; None: none.
    """

    base: str
    login: tuple[str, str] | None = USER

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        chunked: bool = True,
    ) -> Answer:
        """Send a request; a body that is not bytes is sent as JSON."""
        sent = {"Content-Type": "application/json"} | dict(headers or {})
        if self.login is not None:
            sent.setdefault("Authorization", basic(*self.login))
        raw = body
        if body is not None and not isinstance(body, bytes):
            raw = json.dumps(body).encode()
        return send(self.base, method, path, raw, sent, chunked=chunked)

    def create(self, kind: str = PUBLICATION, **members: Any) -> Answer:
        """Ask for a share of `STUDY`; `members` replace parts of the body."""
        return self.call("PUT", f"/tokens/{kind}", creation(kind, **members))

    def made(self, kind: str = PUBLICATION, **members: Any) -> dict[str, Any]:
        """Return the JSON of a share that was made."""
        answer = self.create(kind, **members)
        assert answer.status == 200, answer.raw
        made: dict[str, Any] = answer.json
        return made

    def token(self, kind: str = PUBLICATION, **members: Any) -> str:
        """Return the token of a new share of `STUDY`."""
        return str(self.made(kind, **members)["token"])

    def ask(self, path: str, question: Any) -> dict[str, Any]:
        """Return the JSON answer to a question of the plugin, which is always 200."""
        answer = self.call("POST", path, question)
        assert answer.status == 200, answer.raw
        answered: dict[str, Any] = answer.json
        return answered

    def is_granted(self, token: Any, **members: Any) -> bool:
        """Tell whether the token opens `STUDY`; `members` change the question."""
        answered = self.ask("/tokens/validate", question(token, **members))
        granted = answered["granted"]
        assert isinstance(granted, bool)
        return granted

    def decode(self, token: Any) -> dict[str, Any]:
        """Return what the service tells of a token."""
        return self.ask("/tokens/decode", {"token-key": "token", "token-value": token})


def basic(name: str, password: str) -> str:
    """Return the value of a header `Authorization` (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def resource(study: Study = STUDY, **members: Any) -> dict[str, Any]:
    """Return a study as a member of `resources`."""
    both = {"dicom-uid": study.dicom_uid, "orthanc-id": study.orthanc_id}
    return both | {"level": "study"} | members


def creation(kind: str = PUBLICATION, **members: Any) -> dict[str, Any]:
    """Return the body that asks for a share; `_` in names becomes `-`."""
    named = {name.replace("_", "-"): value for name, value in members.items()}
    return {"resources": [resource()], "type": kind, "server-id": None} | named


def question(token: Any, **members: Any) -> dict[str, Any]:
    """Return the body that asks whether `token` opens `STUDY` (protocol B.2)."""
    named = {name.replace("_", "-"): value for name, value in members.items()}
    asked = resource() | {"method": "get", "server-id": None}
    return asked | {"token-key": "token", "token-value": token} | named


@contextmanager
def running(clock: MovableClock | None = None, **settings: Any) -> Iterator[Service]:
    """Run a token-service with the settings of tests and these changes."""
    app = create_app(token_service_settings(**settings), clock=clock or MovableClock())
    login = None if settings.get("allow_unauthenticated") else USER
    with serve(app) as base:
        yield Service(base, login)
