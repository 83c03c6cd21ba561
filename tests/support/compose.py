"""The deployment's files, as the engine would read them, and our services from them."""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typing_extensions import override

from demo import make_secrets
from demo.processes import Process, answers, free_port
from tests.support.real import require

ROOT = Path(__file__).parents[2]
OURS = ("token-service", "landing", "anonymizer")


def raw(name: str) -> dict[str, Any]:
    """Return a compose file as it is written."""
    document: dict[str, Any] = yaml.safe_load((ROOT / name).read_text("utf-8"))
    return document


def compose(*overlays: str, **variables: str) -> dict[str, Any]:
    """Return the deployment as docker-compose understands it."""
    files = ["docker-compose.yml", *(f"docker-compose.{o}.yml" for o in overlays)]
    done = subprocess.run(
        [
            str(require("docker-compose")),
            *(argument for file in files for argument in ("--file", file)),
            "config",
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = yaml.safe_load(done.stdout)
    return document


@pytest.fixture(scope="module")
def base() -> dict[str, Any]:
    """Return the deployment without overlays."""
    return compose()


@pytest.fixture(scope="module")
def secret_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with secrets that the script has just made."""
    require("openssl")
    folder = tmp_path_factory.mktemp("deployment") / "secrets"
    make_secrets.write_secrets(folder)
    return folder


def secrets_of(service: Mapping[str, Any]) -> dict[str, str]:
    """Return source and name in the container of the secrets that a service gets."""
    return {
        secret["source"]: secret.get("target", secret["source"])
        for secret in service.get("secrets", ())
    }


def dockerfile(instruction: str) -> list[str]:
    """Return the arguments of an instruction of the Dockerfile, each time it occurs."""
    text = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{instruction} +(.+)$", text, re.MULTILINE)


def image_environment() -> dict[str, str]:
    """Return the variables that the image itself sets, without PATH."""
    pairs = dict(pair.split("=", 1) for pair in dockerfile("ENV")[-1].split())
    del pairs["PATH"]
    return pairs


@dataclass
class Running:
    """One of our services, started as in its container.

    Args:
        environment: What it was started with.
        url: Where it answers, with the final slash.
    """

    environment: dict[str, str]
    url: str


def environment_in_container(
    document: Mapping[str, Any], name: str, secret_folder: Path, folder: Path
) -> dict[str, str]:
    """Return the environment of a service, its secrets in a folder of their own."""
    service = document["services"][name]
    own = folder / f"{name}-secrets"
    own.mkdir()
    for source, target in secrets_of(service).items():
        (own / target).write_bytes((secret_folder / source).read_bytes())
    return {
        **image_environment(),
        **service["environment"],
        "SECRETS_DIR": str(own),
        **_data_dir(service, folder / f"{name}-data"),
        "ORTHANC_SHARE_HOST": "127.0.0.1",
        "ORTHANC_SHARE_PORT": str(free_port()),
    }


def _data_dir(service: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return where a service keeps what it keeps, in place of its volume."""
    return {"DATA_DIR": str(folder)} if service.get("volumes") else {}


@contextmanager
def started(
    document: Mapping[str, Any],
    name: str,
    secret_folder: Path,
    folder: Path,
    *,
    token_service: str | None = None,
) -> Iterator[Running]:
    """Run one of our services as its container would.

    Args:
        document: The deployment.
        name: The service.
        secret_folder: The deployment's secrets.
        folder: For what the service writes.
        token_service: Where token-service is, for who asks it.
    """
    environment = environment_in_container(document, name, secret_folder, folder)
    if token_service is not None and "TOKEN_SERVICE_URL" in environment:
        environment["TOKEN_SERVICE_URL"] = token_service
    url = f"http://127.0.0.1:{environment['ORTHANC_SHARE_PORT']}/"
    (program,) = json.loads(dockerfile("ENTRYPOINT")[0])
    process = Process(
        name,
        [str(Path(sys.executable).parent / program)]
        + document["services"][name]["command"],
        log=folder / f"{name}.log",
        ready=lambda: answers(f"{url}health"),
        environment=environment,
    )
    with process:
        yield Running(environment, url)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A browser that shows where it would go."""

    @override
    def redirect_request(self, *_arguments: Any) -> None:
        """Go nowhere."""


def call(
    url: str,
    body: Any = None,
    *,
    method: str = "GET",
    user: str | None = None,
    secret_folder: Path | None = None,
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers (lower case) and body of one request.

    Args:
        url: Where to.
        body: Sent as JSON unless None.
        method: Method.
        user: Who calls, with the password in `secret_folder`.
        secret_folder: The deployment's secrets.
    """
    headers = {"Content-Type": "application/json"}
    if user is not None and secret_folder is not None:
        password = json.loads((secret_folder / "USERS").read_text())[user]
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {login}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        answer = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        fields = {name.lower(): value for name, value in answer.headers.items()}
        return answer.status, fields, answer.read()
