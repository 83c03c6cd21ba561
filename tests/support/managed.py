"""A token-service with a registry, as those who manage shares see it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.replay import Answer
from tests.support.service import MovableClock, Service, running


@dataclass(frozen=True)
class Managed:
    """A running service with a registry.

    Args:
        service: The service.
        clock: Its clock.
    """

    service: Service
    clock: MovableClock

    def share(self, **members: Any) -> str:
        """Return the id of a new share."""
        return str(self.service.made(**members)["share-id"])

    def get(self, path: str) -> Answer:
        """Ask for something."""
        return self.service.call("GET", path)

    def shown(self, share: str) -> dict[str, Any]:
        """Return a share."""
        return self.good("GET", f"/shares/{share}")

    def ids(self, query: str = "") -> list[str]:
        """Return the ids of a list of shares, the first page."""
        page = self.good("GET", f"/shares?{query}")
        return [share["id"] for share in page["shares"]]

    def events(self, share: str) -> list[dict[str, Any]]:
        """Return the events of a share, newest first."""
        found: list[dict[str, Any]]
        found = self.good("GET", f"/shares/{share}/events")["events"]
        return found

    def change(self, share: str, **members: Any) -> Answer:
        """Change a share; `_` in names becomes `-`."""
        named = {name.replace("_", "-"): value for name, value in members.items()}
        return self.service.call("PATCH", f"/shares/{share}", named)

    def good(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return the JSON of an answer that is good."""
        answer = self.service.call(method, path, body)
        assert answer.status == 200, answer.raw
        found: dict[str, Any] = answer.json
        return found


@contextmanager
def managed(folder: Path, **settings: Any) -> Iterator[Managed]:
    """Run a service whose registry is in `folder`, unless the settings name another."""
    clock = MovableClock()
    with running(clock, registry=True, data_dir=folder, **settings) as service:
        yield Managed(service, clock)
