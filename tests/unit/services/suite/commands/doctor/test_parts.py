"""What the doctor looks at without asking anybody."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from landing.settings import LandingSettings
from orthanc_share.domain.share import Flavour
from orthanc_share.upstream.client import create_client
from suite.commands.doctor.addresses import address_findings, public_roots
from suite.commands.doctor.disk import (
    Mount,
    database_findings,
    file_system,
    mounted,
)
from suite.commands.doctor.findings import Finding, Grade
from suite.commands.doctor.local import key_findings, user_findings
from suite.commands.doctor.site import Site
from tests.support.service import NOW
from tests.support.settings import (
    DEIDENTIFICATION_KEY,
    SECRET_KEY,
    token_service_settings,
)
from tests.unit.shared.tokens.keys import (
    OTHER_VERIFICATION_KEY,
    SIGNING_KEY,
    VERIFICATION_KEY,
)
from token_service.registry_settings import RegistrySettings

HOST = "https://share.example.org"
MOUNTS = """\
overlay / overlay rw 0 0
/dev/sda1 /srv ext4 rw 0 0
server:/x /srv/net nfs4 rw 0 0
tmpfs /srv/with\\040blank tmpfs rw 0 0
short
"""


def texts(found: list[Finding], grade: Grade) -> list[str]:
    return [one.text for one in found if one.grade is grade]


def roots(**changes: str) -> dict[str, str]:
    whole = {
        "PUBLIC_LANDING_ROOT": f"{HOST}/welcome/",
        "PUBLIC_ORTHANC_ROOT": f"{HOST}/shares/",
        "PUBLIC_OHIF_ROOT": f"{HOST}/ohif/",
    }
    return whole | changes


def test_roots_that_fit_are_one_good_line() -> None:
    (found,) = address_findings(roots())
    assert found.grade is Grade.OK
    assert found.to_json()["advice"] is None


@pytest.mark.parametrize(
    ("changes", "grade", "expected"),
    [
        (
            {"PUBLIC_OHIF_ROOT": "http://share.example.org/ohif/"},
            Grade.ERROR,
            "PUBLIC_OHIF_ROOT: http://, while the others are https://.",
        ),
        (
            {"PUBLIC_OHIF_ROOT": f"{HOST}/shares/"},
            Grade.ERROR,
            "PUBLIC_ORTHANC_ROOT and PUBLIC_OHIF_ROOT are the same address.",
        ),
        (
            {"PUBLIC_OHIF_ROOT": "https://ohif.example.org/"},
            Grade.WARNING,
            (
                "PUBLIC_ORTHANC_ROOT and PUBLIC_OHIF_ROOT have different hosts:"
                " share.example.org and ohif.example.org."
            ),
        ),
        (
            {"PUBLIC_LANDING_ROOT": "https://localhost/welcome/"},
            Grade.WARNING,
            "PUBLIC_LANDING_ROOT: a link leads to the machine of who opens it.",
        ),
    ],
)
def test_roots_that_do_not_fit(
    changes: dict[str, str], grade: Grade, expected: str
) -> None:
    assert expected in texts([*address_findings(roots(**changes))], grade)


def test_a_site_without_any_root_is_told() -> None:
    settings = token_service_settings(
        public_orthanc_root=None, public_ohif_root=None, public_landing_root=None
    )
    (found,) = address_findings(public_roots(settings))
    assert (found.grade, found.text) == (Grade.ERROR, "There is no public address.")


def test_logins_are_told_by_name() -> None:
    users = {"a": "$argon2id$v=19$x", "b": "short", "c": "long-enough-for-this"}
    found = [*user_findings(token_service_settings(users=users))]
    assert [one.grade for one in found] == [Grade.OK, Grade.WARNING, Grade.OK]
    assert found[1].text == "USERS: the password of b is short."


def test_other_services_have_no_logins() -> None:
    assert [*user_findings(LandingSettings(secret_key=SecretStr(SECRET_KEY)))] == []


def keys(**changes: Any) -> list[Finding]:
    settings = token_service_settings(**changes)
    site = Site({"token-service": settings}, create_client(), lambda: NOW)
    return [*key_findings(site)]


def test_a_landing_that_would_refuse_new_links_is_told() -> None:
    pair = {"secret_key": None, "signing_key": SIGNING_KEY}
    assert texts(keys(**pair, verification_keys=VERIFICATION_KEY), Grade.ERROR) == []
    assert texts(keys(**pair), Grade.ERROR) == []
    (text,) = texts(keys(**pair, verification_keys=OTHER_VERIFICATION_KEY), Grade.ERROR)
    assert text == "VERIFICATION_KEYS lacks the public key of SIGNING_KEY."


def test_an_anonymized_share_without_its_key_is_told() -> None:
    anonymized = {
        "public_anonymized_orthanc_root": f"{HOST}/anon-shares/",
        "server_identifier": "a",
        "anonymized_server_identifier": "b",
    }
    (text,) = texts(keys(**anonymized), Grade.ERROR)
    assert text == "No token of a share that is anonymized can be made."
    anonymized["deidentification_key"] = DEIDENTIFICATION_KEY
    assert texts(keys(**anonymized), Grade.ERROR) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"accept_legacy_tokens": False}, []),
        ({"accept_legacy_tokens": True}, []),
        (
            {
                "accept_legacy_tokens": True,
                "secret_key": None,
                "signing_key": SIGNING_KEY,
            },
            ["ACCEPT_LEGACY_TOKENS: there is no secret that could have signed them."],
        ),
        (
            {"accept_legacy_tokens": True, "legacy_tokens_until": NOW},
            ["LEGACY_TOKENS_UNTIL has passed: links of the predecessor are refused."],
        ),
    ],
)
def test_links_of_the_predecessor_that_would_be_refused(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert texts(keys(**changes), Grade.WARNING) == expected


def test_without_keys_there_is_no_token() -> None:
    settings = token_service_settings(secret_key=None)
    site = Site({"token-service": settings}, create_client(), lambda: NOW)
    assert site.token(Flavour.STANDARD) is None
    (found,) = key_findings(site)
    assert found.grade is Grade.ERROR


@pytest.fixture
def mounts(tmp_path: Path) -> list[Mount]:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS, "utf-8")
    return mounted(table)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/data/x", "overlay"),
        ("/srv/x", "ext4"),
        ("/srv/network/x", "ext4"),
        ("/srv/net/x", "nfs4"),
        ("/srv/net/../x", "ext4"),
        ("/srv/with blank/x", "tmpfs"),
    ],
)
def test_the_file_system_of_a_path_is_the_nearest(
    mounts: list[Mount], path: str, expected: str
) -> None:
    assert file_system(Path(path), mounts) == expected


def test_what_is_mounted_later_hides_the_earlier() -> None:
    both = [Mount(Path("/"), "ext4"), Mount(Path("/"), "nfs")]
    assert file_system(Path("/x"), both) == "nfs"


def test_a_system_that_tells_nothing_is_not_guessed_at(tmp_path: Path) -> None:
    assert mounted(tmp_path / "missing") == []
    assert file_system(Path("/x"), []) is None


def test_this_system_tells() -> None:
    assert file_system(Path("/proc/self"), mounted()) == "proc"


@pytest.mark.anyio
async def test_sqlite_on_a_network_file_system_is_an_error(tmp_path: Path) -> None:
    settings = RegistrySettings(data_dir=tmp_path)
    on_nfs = [Mount(tmp_path, "nfs")]
    found = await database_findings(settings, on_nfs)
    (text,) = texts(found, Grade.ERROR)
    assert text == "SQLite lies on a network file system (nfs): it can be damaged."
    assert texts(await database_findings(settings, []), Grade.ERROR) == []


@pytest.mark.anyio
async def test_a_file_of_another_user_is_told(tmp_path: Path) -> None:
    file = tmp_path / "orthanc-share.sqlite"
    file.touch()
    if os.geteuid() == 0:
        os.chown(file, 12345, -1)
        found = await database_findings(RegistrySettings(data_dir=tmp_path), [])
        assert any("number 12345" in text for text in texts(found, Grade.WARNING))
    own = tmp_path / "own"
    own.mkdir()
    (own / "orthanc-share.sqlite").touch()
    found = await database_findings(RegistrySettings(data_dir=own), [])
    assert texts(found, Grade.WARNING) == []
