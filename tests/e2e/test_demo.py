"""The whole demo: links open what they should, and nothing else, through real parts."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.calls import answers, call
from demo.links import PUBLICATION, check
from demo.processes import free_port
from demo.run import STAFF, Running
from demo.sample_data import CT_STUDY, MR_STUDY, OTHER_STUDY
from tests.support.demo import VIEWERS, copy_samples, running_demo
from tests.support.orthanc import Ids
from tests.support.real import require

ROOT = Path(__file__).parents[2]
CT, OTHER = Ids.of(CT_STUDY), Ids.of(OTHER_STUDY)

CHANGES = [
    ("DELETE", f"studies/{CT.study}"),
    ("DELETE", f"instances/{CT.instance}"),
    ("PUT", f"studies/{CT.study}/metadata/1024"),
    ("POST", f"studies/{CT.study}/modify"),
    ("POST", f"studies/{CT.study}/anonymize"),
    ("POST", "tools/find"),
    ("POST", "instances"),
]


def bearer(demo: Running) -> dict[str, str]:
    return {"Authorization": f"Bearer {demo.links.live[0].token}"}


def test_every_link_does_what_it_says(demo: Running) -> None:
    assert check(demo.links, demo.addresses) == []


def test_a_link_leads_through_the_landing_page_to_the_viewer(demo: Running) -> None:
    assert demo.addresses.ohif is not None
    link = demo.links.live[0]
    assert link.url.startswith(f"{demo.addresses.landing}?token=")
    reply = call("GET", link.url)
    assert reply.status == 303
    viewer = f"{demo.addresses.ohif}viewer?StudyInstanceUIDs={CT.study_uid}"
    assert reply.headers["location"].startswith(f"{viewer}&token=")
    assert "Forbidden" not in call("GET", reply.headers["location"]).body.decode()


def test_the_anonymized_link_leads_to_ohif_with_another_source(demo: Running) -> None:
    assert demo.addresses.ohif is not None
    location = call("GET", demo.links.anonymized.url).headers["location"]
    viewer = f"{demo.addresses.ohif}viewer/anonymized?StudyInstanceUIDs=2.25."
    assert location.startswith(viewer)
    assert CT.study_uid not in location


def test_the_anonymized_link_shows_the_images_of_nobody(demo: Running) -> None:
    headers = {"Authorization": f"Bearer {demo.links.anonymized.token}"}
    root = f"{demo.addresses.anonymizer}dicom-web/studies"
    (study,) = call("GET", root, headers=headers).json()
    uid = study["0020000D"]["Value"][0]
    metadata = call("GET", f"{root}/{uid}/metadata", headers=headers)
    assert len(metadata.json()) == CT_STUDY.slices
    for name in (CT_STUDY.patient, CT_STUDY.patient_id, CT.study_uid, CT.study):
        assert name.encode() not in metadata.body
    real = call("GET", f"{root}/{CT.study_uid}/metadata", headers=headers)
    assert real.status == 404


def test_orthanc_behind_the_anonymizer_wants_a_password(demo: Running) -> None:
    assert call("GET", f"{demo.addresses.orthanc_behind}studies").status == 401


@pytest.mark.parametrize(
    "path",
    [
        f"studies/{OTHER.study}",
        f"studies/{OTHER.study}/archive",
        f"dicom-web/studies/{OTHER.study_uid}/metadata",
        f"dicom-web/studies?StudyInstanceUID={OTHER.study_uid}",
    ],
)
def test_another_study_is_refused_by_orthanc(demo: Running, path: str) -> None:
    reply = call("GET", f"{demo.addresses.orthanc}{path}", headers=bearer(demo))
    assert reply.status == 403


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_link_changes_nothing(demo: Running, method: str, path: str) -> None:
    url = f"{demo.addresses.orthanc}{path}"
    reply = call(method, url, {"Replace": {"PatientName": "X"}}, headers=bearer(demo))
    assert reply.status in {403, 404, 405}
    own = call(
        "GET", f"{demo.addresses.orthanc}studies/{CT.study}", headers=bearer(demo)
    )
    assert own.json()["PatientMainDicomTags"]["PatientName"] == CT_STUDY.patient


def test_an_expired_token_opens_nothing(demo: Running) -> None:
    assert check(demo.links, demo.addresses) == []  # waits until it has expired
    url = f"{demo.addresses.orthanc}studies/{CT.study}"
    headers = {"token": demo.links.expired.token}
    assert call("GET", url, headers=headers).status == 403
    studies = f"{demo.addresses.orthanc}dicom-web/studies"
    assert call("GET", studies, headers=headers).status == 403


def test_the_curl_line_makes_a_link(demo: Running) -> None:
    curl = require("curl")
    command = shlex.split(demo.service.curl(PUBLICATION))
    done = subprocess.run(
        [str(curl), "-s", *command[1:]], capture_output=True, check=True, text=True
    )
    url = re.search(r'"url":"([^"]+)"', done.stdout)
    assert url is not None
    assert MR_STUDY.study_uid in call("GET", url[1]).headers["location"]


def test_staff_share_through_their_orthanc(demo: Running) -> None:
    body = {
        "Resources": [{"DicomUid": CT.study_uid, "Level": "study"}],
        "ValidityDuration": 60,
    }
    url = f"{demo.admin.url}auth/tokens/{PUBLICATION}"
    login = (STAFF, demo.admin.users[STAFF])
    assert call("PUT", url, body).status == 401
    made = call("PUT", url, body, login=login).json()
    assert call("GET", made["Url"]).status == 303
    decoding = f"{demo.addresses.orthanc}auth/tokens/decode"
    decoded = call("POST", decoding, {"TokenKey": "token", "TokenValue": made["Token"]})
    assert decoded.json()["ResourcesDicomIds"] == [CT.study_uid]


def test_no_log_holds_a_token(demo: Running) -> None:
    logs = "".join(process.log.read_text("utf-8") for process in demo.processes)
    assert demo.links.live[0].token not in logs
    assert demo.links.expired.token not in logs
    assert demo.links.anonymized.token not in logs


@pytest.fixture
def state(samples: Path, tmp_path: Path) -> Path:
    copy_samples(samples, tmp_path)
    return tmp_path


# The fixture `demo` has all parts, `--once` below is without OHIF
@pytest.mark.parametrize("without", [("nginx",), ("nginx", "ohif")])
def test_the_demo_works_with_and_without_its_optional_parts(
    without: tuple[str, ...], state: Path
) -> None:
    with running_demo(state, *without) as demo:
        assert check(demo.links, demo.addresses) == []


def run_demo(state: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo", "--state", str(state)]
    return subprocess.Popen(
        [*command, "--port", str(free_port()), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_make_demo_once_tries_the_links_and_stops(state: Path) -> None:
    with run_demo(state, "--once", "--without", "ohif") as process:
        shown, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "A link that has expired:" in shown
    assert "PROBLEM" not in said


@pytest.fixture
def started(state: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    with run_demo(state, "--without", "ohif", "--without", "nginx") as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                break
        yield process, lines
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_every_program(
    number: signal.Signals, started: tuple[subprocess.Popen[str], list[str]]
) -> None:
    process, lines = started
    servers = set(re.findall(r"http://127\.0\.0\.1:\d+/", "".join(lines)))
    assert len(servers) == 3
    assert all(map(answers, servers))
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
    assert not any(map(answers, servers))


def test_the_viewer_is_kept_outside_of_the_repository_s_files() -> None:
    assert VIEWERS.relative_to(ROOT).parts[0] == ".demo"
    assert ".demo/" in (ROOT / ".gitignore").read_text().splitlines()
