"""Our services as compose starts them: the very command and environment, natively.

Only host names and ports differ; each service has its own secrets and no others.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from demo.processes import free_port
from tests.support.compose import (
    OURS,
    ROOT,
    Running,
    base,
    call,
    compose,
    dockerfile,
    environment_in_container,
    secret_folder,
    secrets_of,
    started,
)

__all__ = ["base", "secret_folder"]  # fixtures

STUDY = {
    "dicom-uid": "1.2.276.0.99.1",
    "orthanc-id": "0123abcd-0123abcd-0123abcd-0123abcd-0123abcd",
    "level": "study",
}


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory,
    base: dict[str, Any],
    secret_folder: Path,
) -> Iterator[dict[str, Running]]:
    folder = tmp_path_factory.mktemp("running")
    found: dict[str, Running] = {}
    with ExitStack() as stack:
        for name in OURS:  # token-service is the first
            asked = found["token-service"].url if found else None
            service = started(base, name, secret_folder, folder, token_service=asked)
            found[name] = stack.enter_context(service)
        yield found


@pytest.mark.parametrize("name", OURS)
def test_each_service_is_healthy_as_compose_starts_it(
    running: dict[str, Running], name: str
) -> None:
    status, _, body = call(f"{running[name].url}health")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    _, _, check = dockerfile("HEALTHCHECK")[0].partition("CMD ")
    program, *arguments = json.loads(check)
    assert program == "python"
    asked = [sys.executable, *arguments]
    environment = running[name].environment
    assert subprocess.run(asked, env=environment, check=False).returncode == 0
    nobody = {**environment, "ORTHANC_SHARE_PORT": str(free_port())}
    refused = subprocess.run(asked, env=nobody, check=False, capture_output=True)
    assert refused.returncode != 0


def make_share(
    running: dict[str, Running], secret_folder: Path, **more: Any
) -> dict[str, Any]:
    body = {
        "id": "compose",
        "resources": [STUDY],
        "type": "stone-viewer-publication",
        "validity-duration": 600,
        **more,
    }
    status, _, answer = call(
        f"{running['token-service'].url}tokens/{body['type']}",
        body,
        method="PUT",
        user="orthanc-for-admin",
        secret_folder=secret_folder,
    )
    assert status == 200, answer
    made: dict[str, Any] = json.loads(answer)
    return made


def test_a_link_made_by_token_service_opens_in_landing(
    running: dict[str, Running], secret_folder: Path
) -> None:
    made = make_share(running, secret_folder)
    assert made["url"].startswith("http://localhost:8080/welcome/?token=")
    status, headers, _ = call(f"{running['landing'].url}?token={made['token']}")
    assert status == 303
    viewer = "http://localhost:8080/shares/stone-webviewer/index.html?"
    assert headers["location"].startswith(viewer)


def test_a_link_with_a_password_asks_for_it(
    running: dict[str, Running], secret_folder: Path
) -> None:
    made = make_share(running, secret_folder, password="Lake side 4711")
    status, _, page = call(f"{running['landing'].url}?token={made['token']}")
    assert status == 200
    assert b'type="password"' in page


def test_orthanc_for_shares_is_told_that_the_share_may_be_read(
    running: dict[str, Running], secret_folder: Path
) -> None:
    token = make_share(running, secret_folder)["token"]
    granted = {}
    for server in ("orthanc-for-shares", "orthanc-for-anon-shares"):
        question = {
            **STUDY,
            "method": "get",
            "server-id": server,
            "token-key": "token",
            "token-value": token,
        }
        status, _, answer = call(
            f"{running['token-service'].url}tokens/validate",
            question,
            method="POST",
            user="orthanc-for-shares",
            secret_folder=secret_folder,
        )
        assert status == 200
        granted[server] = json.loads(answer)["granted"]
    assert granted == {"orthanc-for-shares": True, "orthanc-for-anon-shares": False}


@pytest.mark.parametrize("name", ["landing", "anonymizer"])
def test_what_faces_the_public_cannot_sign(
    running: dict[str, Running], name: str
) -> None:
    # The settings that make a token-service sign, with what this service has of them.
    environment = {
        **running[name].environment,
        "ALLOW_UNAUTHENTICATED": "true",
        "ORTHANC_SHARE_PORT": "0",
    }
    program = str(Path(sys.executable).parent / "orthanc-share")
    done = subprocess.run(
        [program, "serve", "token-service"],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "SIGNING_KEY" in done.stderr


@pytest.mark.parametrize("name", OURS)
def test_sample_secrets_are_refused_by_name_and_not_shown(
    base: dict[str, Any], tmp_path: Path, name: str
) -> None:
    examples = ROOT / "secrets.example"
    environment = environment_in_container(base, name, examples, tmp_path)
    program = str(Path(sys.executable).parent / "orthanc-share")
    done = subprocess.run(
        [program, *base["services"][name]["command"]],
        env=environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    said = done.stdout + done.stderr
    for secret in secrets_of(base["services"][name]):
        # Whoever is asked with these refuses to start with a sample.
        if secret not in {"USERS", "ORTHANC_PASSWORD"} and "_FOR_" not in secret:
            assert secret in said
    assert "demo.make_secrets makes" not in said


def test_with_tls_every_link_is_https(secret_folder: Path, tmp_path: Path) -> None:
    document = compose("tls", PUBLIC_HOST="share.example.org")
    name = "token-service"
    with started(document, name, secret_folder, tmp_path) as service:
        made = make_share({name: service}, secret_folder)
    assert made["url"].startswith("https://share.example.org/welcome/?token=")
