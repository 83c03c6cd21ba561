"""Every recorded `profile` and `decode`, sent as the plugin sends it."""

import re
from typing import Any

import pytest

from tests.support.answers import complaints
from tests.support.replay import TOKEN, Line, case_of, lines, replay, studies
from tests.support.service import Service
from tests.support.settings import PUBLIC
from tests.support.tokens import foreign_tokens, share_token

STUDY = studies()[0]
NOBODY = {
    "name": "Anonymous",
    "permissions": [],
    "authorized-labels": [],
    "validity": 60,
    "groups": [],
    "user-id": None,
}
NOTHING: dict[str, Any] = {
    "token-type": None,
    "error-code": "invalid",
    "redirect-url": None,
    "resources": [],
}


@pytest.mark.parametrize("line", lines("profile"), ids=case_of)
def test_every_token_has_the_anonymous_profile_and_a_user_id_its_own_name(
    line: Line, asked: Service
) -> None:
    answer = replay(asked.base, line, share_token(STUDY), "other")
    assert complaints("profile", answer) == []
    user = line.body.get("user-id")
    named = {"name": user, "user-id": user} if user else {}
    assert answer.json == NOBODY | named


@pytest.mark.parametrize("line", lines("decode"), ids=case_of)
def test_a_valid_token_tells_its_study_and_where_to_see_it(
    line: Line, asked: Service
) -> None:
    token = share_token(STUDY)
    answer = replay(asked.base, line, token)
    assert complaints("decode", answer) == []
    sent = re.sub("^bearer ", "", line.body["token-value"], flags=re.IGNORECASE)
    if sent.strip(" ") == TOKEN:
        uid = STUDY.dicom_uid
        assert answer.json == {
            "token-type": "stone-viewer-publication",
            "error-code": None,
            "redirect-url": f"{PUBLIC}/shares/stone-webviewer/index.html"
            f"?study={uid}&selectedStudies={uid}&token={token}",
            "resources": [
                {
                    "dicom-uid": uid,
                    "orthanc-id": STUDY.orthanc_id,
                    "url": None,
                    "level": "study",
                }
            ],
        }
    else:
        assert answer.json == NOTHING


@pytest.mark.parametrize("line", lines("decode"), ids=case_of)
def test_a_token_that_opens_nothing_now_tells_no_study(
    line: Line, asked: Service
) -> None:
    foreign = foreign_tokens(STUDY)
    del foreign["of another study"], foreign["of a series"]  # these are valid shares
    for what, token in foreign.items():
        answer = replay(asked.base, line, token, token)
        assert complaints("decode", answer) == [], what
        assert answer.json["resources"] == [], what
        assert answer.json["error-code"] in {"expired", "invalid"}, what
        assert answer.json["redirect-url"] is None, what


@pytest.mark.parametrize(
    "line",
    [one for one in (*lines("decode"), *lines("profile")) if not one.has_login],
    ids=case_of,
)
def test_a_plugin_without_login_gets_401_where_a_login_is_wanted(
    line: Line, service: Service
) -> None:
    assert replay(service.base, line).status == 401
