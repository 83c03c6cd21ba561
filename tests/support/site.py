"""The deployment's nginx with a stand-in behind each of its upstreams."""

import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.echo import Answer, Upstream, ask, echo_upstream
from tests.support.nginx import Nginx, running_nginx
from tests.support.real import require

TOKEN = "eyJhbGciOiJFZERTQSJ9.c2VjcmV0LXNoYXJl.c2lnbmF0dXJl"
STUDY = "0123abcd-0123abcd-0123abcd-0123abcd-0123abcd"
UID = "1.2.276.0.99.1"
SERIES = f"/shares/dicom-web/studies/{UID}/series/1.2.3"
INSTANCE = f"{SERIES}/instances/1.2.4"

UPSTREAMS = (
    "orthanc_for_admin",
    "orthanc_for_shares",
    "landing",
    "anonymizer",
    "token_service",
    "ohif",
    "meddream",
)


@dataclass
class Deployment:
    """A running nginx and what is behind it."""

    nginx: Nginx
    upstreams: dict[str, Upstream]

    def ask(self, method: str, target: str | bytes, **rest: object) -> Answer:
        """Send one request to nginx's http port."""
        return ask(self.nginx.proxy.http_port, method, target, **rest)  # type: ignore[arg-type]

    def arrived(self) -> int:
        """How many requests reached any upstream."""
        return sum(len(upstream.asked) for upstream in self.upstreams.values())


@contextlib.contextmanager
def deployed(folder: Path, **settings: object) -> Iterator[Deployment]:
    """Run nginx before a stand-in for each upstream; `settings` as in `Proxy`."""
    with contextlib.ExitStack() as stack:
        upstreams = {
            name: stack.enter_context(echo_upstream(name)) for name in UPSTREAMS
        }
        addresses = {name: upstream.address for name, upstream in upstreams.items()}
        nginx = stack.enter_context(running_nginx(folder, **{**addresses, **settings}))
        yield Deployment(nginx, upstreams)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Run one for all tests of a module."""
    with deployed(tmp_path_factory.mktemp("site")) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the paths of a self-made certificate for 127.0.0.1 and of its key."""
    folder = tmp_path_factory.mktemp("tls")
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    subprocess.run(
        [
            *(str(require("openssl")), "req", "-x509", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", paths[0], "-keyout", paths[1]),
        ],
        check=True,
        capture_output=True,
    )
    return paths
