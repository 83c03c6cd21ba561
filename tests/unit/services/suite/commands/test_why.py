"""`orthanc-share why`: as token-service decides, with the reason."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orthanc_share.domain.access import AccessRequest
from orthanc_share.domain.clock import utc_now
from orthanc_share.domain.resource import Resource
from orthanc_share.domain.share import Share, ShareType
from orthanc_share.store.records import Changes, NewShare, Origin
from orthanc_share.store.store import Store, open_store
from orthanc_share.web.sharing import build_sharing
from suite.commands.why import explained
from tests.support.settings import token_service_settings
from tests.unit.services.suite.commands.calling import call, process, refused
from tests.unit.shared.tokens.keys import OLD_SECRET_KEY

UID, OTHER_UID = "1.2.276.0.99.1", "1.2.276.0.99.2"
ORTHANC_ID = "11111111-22222222-33333333-44444444-55555555"
SHARE = Share(
    "share-1",
    ShareType.STONE_PUBLICATION,
    (Resource(dicom_uid=UID, orthanc_id=ORTHANC_ID),),
    issued_at=utc_now(),
)
CODEC = build_sharing(token_service_settings()).codec
TOKEN = CODEC.sign(SHARE)


def asked(token: str, *options: str, study: str = UID) -> dict[str, Any]:
    result = call("why", "-", "--study", study, "--json", *options, given=token)
    assert result.stderr == ""
    assert token not in result.stdout
    answer: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (0 if answer["granted"] else 1)
    return answer


def stored(site: Path, work: Callable[[Store], Any]) -> None:
    """Do something in the registry of the site, which holds the share."""

    async def write() -> None:
        async with open_store(f"sqlite:///{site}/data/orthanc-share.sqlite") as store:
            new = NewShare(SHARE, "jane", max_openings=None)
            await store.shares.create(new, now=utc_now(), origin=Origin("jane"))
            await work(store)

    assert call("migrate").exit_code == 0
    asyncio.run(write())


def revoke(reason: str) -> Callable[[Store], Any]:
    def work(store: Store) -> Any:
        origin = Origin("jo\x1be")
        return store.revoker.revoke(
            "share-1", now=utc_now(), origin=origin, reason=reason
        )

    return work


def test_a_grant_is_explained() -> None:
    answer = asked(TOKEN)
    assert answer["share"] == "share-1"
    assert (answer["granted"], answer["validity"], answer["reason"]) == (True, 60, None)
    names = [rule["rule"] for rule in answer["rules"]]
    assert names == [
        *("token", "registry", "kind", "end", "start"),
        *("server", "method", "level", "resource"),
    ]
    assert all(rule["holds"] for rule in answer["rules"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--method", "DELETE"), "wrong_method"),
        (("--level", "series"), "other_resource"),
        (("--level", "system"), "wrong_level"),
        (("--orthanc-id", ORTHANC_ID.replace("1", "2")), "other_resource"),
    ],
)
def test_a_denial_has_its_reason_code(options: tuple[str, ...], reason: str) -> None:
    assert asked(TOKEN, *options)["reason"] == reason


def test_a_study_can_be_named_by_either_id_or_both() -> None:
    assert asked(TOKEN, study=ORTHANC_ID)["granted"]
    assert asked(TOKEN, "--orthanc-id", ORTHANC_ID)["granted"]
    assert asked(TOKEN, study=OTHER_UID)["reason"] == "other_resource"


def test_the_server_that_asks_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_IDENTIFIER", "orthanc-for-shares")
    assert asked(TOKEN)["reason"] == "wrong_server"
    assert asked(TOKEN, "--server-id", "orthanc-for-shares")["granted"]


def test_what_the_site_allows_besides_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked(TOKEN, "--method", "put")["reason"] == "wrong_method"
    monkeypatch.setenv("ALLOW_ANNOTATIONS", "true")
    assert asked(TOKEN, "--method", "put")["granted"]


def test_times_are_explained() -> None:
    now = utc_now()
    over = CODEC.sign(replace(SHARE, expires_at=now - timedelta(days=3)))
    assert asked(over)["reason"] == "expired"
    early = CODEC.sign(replace(SHARE, not_before=now + timedelta(days=3)))
    assert asked(early)["reason"] == "not_yet_valid"


def test_a_link_with_a_limit_needs_to_be_opened() -> None:
    limited = CODEC.sign(replace(SHARE, needs_opening=True))
    assert asked(limited)["reason"] == "needs_opening"


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "no_token"),
        ("https://share.example.org/welcome/s/abc", "no_token"),
        ("nonsense", "invalid_token"),
        (
            build_sharing(token_service_settings(secret_key=OLD_SECRET_KEY)).codec.sign(
                SHARE
            ),
            "invalid_token",
        ),
    ],
    ids=["empty", "short link", "nonsense", "other key"],
)
def test_what_cannot_be_read_has_a_reason_too(token: str, reason: str) -> None:
    result = call("why", "--study", UID, given=token)
    assert result.exit_code == 1
    assert result.stdout.endswith(f"Denied: {reason}.\n")
    assert not token or token not in result.stdout


def test_a_link_will_do() -> None:
    assert asked(f"https://share.example.org/welcome/?token={TOKEN}")["granted"]


def test_it_is_told_without_a_terminal_and_without_the_token() -> None:
    done = process("why", "--study", OTHER_UID, given=TOKEN)
    assert done.status == 1
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert TOKEN.split(".")[2] not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "Denied: other_resource."
    assert any(line.startswith("no  resource") for line in lines)


def test_a_grant_is_told() -> None:
    result = call("why", TOKEN, "--study", UID)
    assert result.stdout.endswith("Granted for 60 s: share share-1.\n")


def test_without_a_registry_the_token_is_judged(
    monkeypatch: pytest.MonkeyPatch, site: Path
) -> None:
    rule = asked(TOKEN)["rules"][1]
    assert rule["text"].startswith("not asked: DATABASE_URL: there is no database")
    assert not (site / "data").exists()
    monkeypatch.setenv("REGISTRY", "off")
    assert asked(TOKEN)["rules"][1]["text"] == "none (REGISTRY=off)"


def test_a_share_that_the_registry_does_not_know_is_judged_by_its_token() -> None:
    assert call("migrate").exit_code == 0
    answer = asked(TOKEN)
    assert answer["granted"]
    assert answer["rules"][1]["text"].startswith("it does not know the share")


def test_what_was_revoked_is_told_with_who_and_why(site: Path) -> None:
    stored(site, revoke("lost"))
    answer = asked(TOKEN)
    assert answer["reason"] == "revoked"
    told = answer["rules"][1]
    assert (told["holds"], told["reason"]) == (False, "revoked")
    assert told["text"].startswith("the share is revoked since 20")
    assert "by jo\ufffde, reason: lost" in told["text"]


def test_what_was_changed_counts_as_it_is_now(site: Path) -> None:
    ends = utc_now() - timedelta(seconds=5)

    async def change(store: Store) -> None:
        await store.shares.change(
            "share-1",
            Changes(expires_at=ends, max_openings=2),
            now=utc_now(),
            origin=Origin(),
        )

    stored(site, change)
    answer = asked(TOKEN)
    assert answer["reason"] == "needs_opening"
    assert answer["rules"][1]["text"] == "the share is expired, 2 openings left"
    assert [rule["rule"] for rule in answer["rules"] if not rule["holds"]] == [
        *("kind", "end"),
    ]


@pytest.mark.anyio
async def test_a_database_that_is_away_is_told() -> None:
    settings = token_service_settings(
        registry=True, database_url="postgresql://u:canary@127.0.0.1:1/x"
    )
    share_id, found = await explained(
        settings, TOKEN, AccessRequest("get", "study", UID), utc_now
    )
    assert share_id == "share-1"
    refusals = [rule.refusal for rule in found.rules if rule.refusal]
    assert refusals == ["registry_unavailable"]
    assert "canary" not in str(found)


def test_wrong_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    said = refused("why", "--study", UID, given=TOKEN)
    assert said == "SECRET_KEY is shorter than 32 bytes.\n"
