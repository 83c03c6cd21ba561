"""The README's curl lines, run as they stand there, against a real server."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.meddream import MedDreamTokenService
from tests.support.real import require
from tests.support.server import serve
from tests.support.settings import PUBLIC, USER, token_service_settings
from token_service.app import create_app

README = Path(__file__).parents[2] / "README.md"
"""The page that promises."""

ADDRESS = "http://localhost:8000"
"""The service in the README's lines."""

_LINES = re.compile(r"```sh\n(curl .*?)```", re.DOTALL)
UID = "1.2.276.0.99.1"
SECOND_UID = "1.2.276.0.99.2"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"


@dataclass(frozen=True)
class Site:
    """A running service, with MedDream's token service beside it."""

    address: str
    meddream: MedDreamTokenService


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with MedDreamTokenService() as meddream:
        settings = token_service_settings(
            meddream_token_service_url=meddream.url,
            public_meddream_root=f"{PUBLIC}/meddream/",
        )
        with serve(create_app(settings)) as address:
            yield Site(address, meddream)


def lines() -> list[str]:
    return _LINES.findall(README.read_text())


def curl(site: Site, line: str) -> Any:
    """Run one line as a person would, in a shell."""
    require("curl")
    script = line.replace(ADDRESS, site.address)
    done = subprocess.run(
        [require("bash"), "-c", script],
        capture_output=True,
        check=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "PASSWORD": USER[1]},
    )
    return json.loads(done.stdout)


def line_with(site: Site, text: str) -> Any:
    """Run the one line that holds `text`."""
    (line,) = (line for line in lines() if text in line)
    return curl(site, line)


def decoded(site: Site, token: str) -> Any:
    """Return what the service says of a token."""
    return curl(
        site,
        f'curl -u "share-user:$PASSWORD" {ADDRESS}/tokens/decode'
        f" -d '{json.dumps({'token-value': token})}'",
    )


def test_there_is_a_line_for_every_kind_of_link() -> None:
    assert len(lines()) == 7


@pytest.mark.parametrize(
    ("share_type", "opened"),
    [
        (
            "stone-viewer-publication",
            (
                f"{PUBLIC}/shares/stone-webviewer/index.html"
                f"?study={UID}&selectedStudies={UID}&token="
            ),
        ),
        (
            "osimis-viewer-publication",
            (
                f"{PUBLIC}/shares/osimis-viewer/app/index.html"
                f"?pickableStudyIds={ORTHANC_ID}&selectedStudyIds={ORTHANC_ID}&token="
            ),
        ),
        (
            "ohif-viewer-publication",
            f"{PUBLIC}/ohif/viewer?StudyInstanceUIDs={UID},{SECOND_UID}&token=",
        ),
        (
            "volview-viewer-publication",
            (
                f"{PUBLIC}/shares/volview/index.html?names=[archive.zip]"
                f"&urls=../studies/{ORTHANC_ID}/archive&token="
            ),
        ),
    ],
)
def test_a_publication_leads_over_the_landing_page_to_its_viewer(
    site: Site, share_type: str, opened: str
) -> None:
    answer = line_with(site, share_type)
    assert answer["request"]["type"] == share_type
    assert answer["url"] == f"{PUBLIC}/welcome/?token={answer['token']}"
    content = decoded(site, answer["token"])
    assert content["redirect-url"] == opened + answer["token"]


def test_a_meddream_link_for_now_holds_meddreams_token(site: Site) -> None:
    answer = line_with(site, "meddream-instant-link")
    assert answer["token"] == site.meddream.tokens[-1]
    query = parse_qs(urlsplit(answer["url"]).query)
    assert query == {"study": [UID], "token": [answer["token"]]}


def test_a_meddream_link_for_later_is_exchanged_when_it_is_opened(site: Site) -> None:
    answer = line_with(site, "meddream-viewer-publication")
    assert answer["url"] == f"{PUBLIC}/welcome/?token={answer['token']}"
    opened = decoded(site, answer["token"])["redirect-url"]
    query = parse_qs(urlsplit(opened).query)
    assert query == {"study": [UID], "token": [site.meddream.tokens[-1]]}


def test_an_unknown_token_may_do_nothing(site: Site) -> None:
    assert line_with(site, "/validate") == {"granted": False, "validity": 60}


def test_the_token_of_a_new_share_may_read_its_study(site: Site) -> None:
    token = line_with(site, "stone-viewer-publication")["token"]
    (line,) = (line for line in lines() if "/validate" in line)
    assert curl(site, line.replace("eyJ…", token)) == {"granted": True, "validity": 60}
