"""A notice says that a link was opened, and nothing that opens or names anything."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orthanc_share.registry.announcing import (
    Announcer,
    message_id_of,
    new_message_id,
)
from orthanc_share.store.records import StoredShare
from tests.support.service import NOW
from tests.unit.shared.registry.samples import STUDY
from tests.unit.shared.registry.test_register import SHARE

KEPT = StoredShare(
    share=replace(SHARE, resources=(STUDY,)),
    creator="account:doctor",
    created_at=NOW,
    label="order-17",
    title="For Dr. Müller",
    max_openings=3,
    password_hash="$argon2id$secret",
    notify="https://ris.example/hook?key=secret",
    revocation=None,
    opened=2,
    denied=0,
    granted=0,
    last_opened_at=NOW,
)
SITE = "https://site.example/hook"


def _bodies(announcer: Announcer, **changes: Any) -> list[dict[str, Any]]:
    made = announcer(replace(KEPT, **changes), NOW + timedelta(seconds=1))
    return [json.loads(notice.body) for notice in made]


def test_a_notice_says_what_happened_to_which_link() -> None:
    announcer = Announcer(new_id=lambda: "msg_1")
    (notice,) = announcer(KEPT, NOW)
    assert notice.target == KEPT.notify
    assert notice.share_id == "share-1"
    assert message_id_of(notice.body) == "msg_1"
    assert json.loads(notice.body) == {
        "event": "opened",
        "id": "msg_1",
        "at": "2026-11-02T12:00:00+00:00",
        "share-id": "share-1",
        "label": "order-17",
        "title": "For Dr. Müller",
        "opened": 2,
        "left": 1,
    }


def test_nobody_is_told_unless_somebody_wants_it() -> None:
    assert Announcer()(replace(KEPT, notify=None), NOW) == []


def test_the_share_and_the_site_are_told_each_once() -> None:
    announcer = Announcer(SITE)
    targets = [notice.target for notice in announcer(KEPT, NOW)]
    assert targets == [KEPT.notify, SITE]
    ids = {message_id_of(notice.body) for notice in announcer(KEPT, NOW)}
    assert len(ids) == 2
    assert len(announcer(replace(KEPT, notify=SITE), NOW)) == 1
    assert "site.example" not in repr(announcer)


def test_a_share_without_words_or_limit_says_so() -> None:
    (body,) = _bodies(Announcer(), label=None, title=None, max_openings=None)
    assert "title" not in body
    assert (body["label"], body["left"]) == (None, None)


@pytest.mark.parametrize("name", [STUDY.dicom_uid, STUDY.orthanc_id])
def test_no_id_of_what_is_shared_is_told(name: str) -> None:
    text = f"study {name}"
    made = Announcer(SITE)(replace(KEPT, label=text, title=text), NOW)
    for notice in made:
        assert str(STUDY.dicom_uid) not in notice.body
        assert str(STUDY.orthanc_id) not in notice.body
    assert "argon2" not in "".join(notice.body for notice in made)


def test_the_id_of_a_message_is_unique_and_may_be_signed() -> None:
    ids = {new_message_id() for _ in range(100)}
    assert len(ids) == 100
    assert not any("." in one for one in ids)
