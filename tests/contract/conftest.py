"""Services that the contract's tests share; each answers as if it were always noon."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.meddream import MedDreamTokenService
from tests.support.orthanc import samples
from tests.support.postgres import PostgreSQL, running_postgres
from tests.support.service import Service, running
from tests.support.settings import PUBLIC

__all__ = ["samples"]

ROLES = """{
  // Who may do what
  "roles": {
    "radiologist": {"authorized-labels": ["*"], "permissions": ["view", "share"]},
  },
  "available-labels": [],
}
"""


@pytest.fixture(scope="session")
def meddream() -> Iterator[MedDreamTokenService]:
    """Run a stand-in of MedDream's token service."""
    with MedDreamTokenService() as stand_in:
        yield stand_in


@pytest.fixture
def roles_file(tmp_path: Path) -> Path:
    """Return a roles file as a person writes it."""
    path = tmp_path / "permissions.jsonc"
    path.write_text(ROLES)
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """Run one PostgreSQL for all tests."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def service(meddream: MedDreamTokenService) -> Iterator[Service]:
    """Run a service with all viewers and a login."""
    with running(
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=meddream.url,
    ) as started:
        yield started


@pytest.fixture(scope="session")
def open_service() -> Iterator[Service]:
    """Run a service that wants no login."""
    with running(users=None, allow_unauthenticated=True) as started:
        yield started


@pytest.fixture
def asked(
    request: pytest.FixtureRequest, service: Service, open_service: Service
) -> Service:
    """Return the service that a recorded line is for: with or without a login."""
    line = request.node.callspec.params["line"]
    return service if line.has_login else open_service
