"""`orthanc-share leak-test` as a user types it, on real sites behind nginx."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import anonymizer.context
from anonymizer.app import create_app
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.deidentification.policy import SharePolicy
from orthanc_share.deidentification.profile import Profile
from orthanc_share.domain.share import Flavour
from tests.support.corpus.build import tiny_corpus
from tests.support.leaks import LOGIN, LeakSite, anonymizer_settings, leak_site
from tests.support.mutants import Without
from tests.support.nginx import running_nginx
from tests.support.server import serve

COMMAND = Path(sys.executable).with_name("orthanc-share")
ENDS_WITHIN = 300.0
"""Seconds after which the command counts as hanging."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LeakSite]:
    with leak_site(tmp_path_factory.mktemp("command"), tiny_corpus()) as running:
        yield running


@contextmanager
def public(anonymizer: str, folder: Path) -> Iterator[str]:
    """Run the deployment's nginx; give the address that the README's line has."""
    upstream = anonymizer.removeprefix("http://").rstrip("/")
    settings = {"anonymizer": upstream, "anonymizer_path": "/"}
    with running_nginx(folder, **settings) as nginx:
        yield f"{nginx.url}anon-shares/"


def leak_test(
    site: LeakSite, *options: str, text: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command; the token is on standard input, the login in the environment."""
    login = dict(zip(("ORTHANC_USERNAME", "ORTHANC_PASSWORD"), LOGIN, strict=True))
    return subprocess.run(
        [COMMAND, "leak-test", *options],
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", **login},
        input=f"{site.token('first')}\n" if text is None else text,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
    )


def usual(site: LeakSite, *options: str) -> Sequence[str]:
    """Return the options of the README's line."""
    study = site.corpus.patient.study_uid
    return ["--orthanc", site.orthanc.root, "--study", study, *options]


def test_a_clean_site_passes(site: LeakSite, tmp_path: Path) -> None:
    with public(site.anonymizer, tmp_path) as url:
        done = leak_test(site, url, *usual(site))
    assert (done.returncode, done.stderr) == (0, "")
    asked, verdict = done.stdout.splitlines()
    assert verdict == "Nothing came out."
    words = asked.split()
    assert int(words[0]) > 1000
    assert int(words[2]) > 20
    assert words[1::2][:2] == ["requests,", "values"]


def test_a_leaking_site_is_reported_without_its_values(
    site: LeakSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(_profile: Profile, key: bytes, share_id: str) -> SharePolicy:
        return Without({0x00080090}, SharePseudonyms(key, share_id))

    monkeypatch.setattr(anonymizer.context, "build_policy", build)
    with (
        serve(create_app(anonymizer_settings(site.orthanc.root))) as leaking,
        public(leaking, tmp_path) as url,
    ):
        done = leak_test(site, url, *usual(site))
    assert done.returncode == 1
    assert "Nothing came out." not in done.stdout
    leak = "GET /dicom-web/studies [application/dicom+json]: text from 00080090"
    assert leak in done.stderr
    assert "/metadata" in done.stderr
    assert "Traceback" not in done.stderr
    for needle in site.needles:
        assert needle.value not in done.stdout + done.stderr


NOBODY = "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    ("options", "text", "why"),
    [
        (("--orthanc", NOBODY), None, "Orthanc: no answer (Connection refused)"),
        (("--username", "nobody"), None, "Orthanc: .../series answered 401 (wrong"),
        (("--study", "1.2.3.4.5"), None, "Orthanc"),
        ((), "x.y.z", "the anonymizer: .../studies answered 403 (the token opens"),
        ((), "standard", "the anonymizer: .../studies answered 403 (the token opens"),
    ],
)
def test_wrong_usage_gets_one_line(
    site: LeakSite, options: tuple[str, ...], text: str | None, why: str
) -> None:
    study, orthanc = usual(site)[2:], usual(site)[:2]
    if text == "standard":
        text = site.token("standard", Flavour.STANDARD)
    if "--study" in options:
        study = ()
    done = leak_test(site, site.anonymizer, *study, *orthanc, *options, text=text)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("No test: ")
    assert why in line
