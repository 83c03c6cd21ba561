"""Every recorded `validate`, sent as the plugin sends it, with every kind of token."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.answers import complaints
from tests.support.replay import (
    OTHER_TOKEN,
    TOKEN,
    Answer,
    Line,
    Study,
    case_of,
    lines,
    replay,
    studies,
    study_of,
)
from tests.support.service import Service, running
from tests.support.tokens import foreign_tokens, share_token

ODD_SERVER = 'site b / Süd "2"'
WITHOUT_TOKEN = [line for line in lines("validate") if TOKEN not in str(line.body)]
WITH_TOKEN = [line for line in lines("validate") if TOKEN in str(line.body)]


def is_opened_by_its_share(line: Line) -> bool:
    """Tell whether a share of the study opens what a line asks for (design 3)."""
    presented = re.sub("^bearer ", "", line.body["token-value"], flags=re.IGNORECASE)
    return (
        presented.strip() == TOKEN
        and line.body["level"] == "study"
        and line.body["method"] in {"get", "post"}
    )


def token_for(line: Line) -> str:
    return share_token(study_of(line))


def decision(answer: Answer) -> bool:
    """Return the decision in an answer that the plugin can use."""
    assert complaints("validate", answer) == []
    return bool(answer.json["granted"])


@pytest.mark.parametrize("line", WITH_TOKEN, ids=case_of)
def test_a_share_opens_its_study_for_get_and_post_and_nothing_else(
    line: Line, asked: Service
) -> None:
    answer = replay(asked.base, line, token_for(line))
    assert decision(answer) is is_opened_by_its_share(line)


@pytest.mark.parametrize("line", WITHOUT_TOKEN, ids=case_of)
def test_a_question_without_a_share_is_denied(line: Line, asked: Service) -> None:
    assert decision(replay(asked.base, line)) is False


@pytest.mark.parametrize("line", lines("validate"), ids=case_of)
def test_a_token_that_is_no_share_of_the_study_is_denied(
    line: Line, asked: Service
) -> None:
    for what, token in foreign_tokens(study_of(line)).items():
        answer = replay(asked.base, line, token, token)
        assert decision(answer) is False, what


def test_enough_questions_are_granted_for_the_replay_to_mean_something() -> None:
    granted = sum(map(is_opened_by_its_share, WITH_TOKEN))
    assert granted >= 25


@pytest.mark.parametrize(
    "line", [one for one in lines("validate") if not one.has_login], ids=case_of
)
def test_a_plugin_without_login_gets_401_where_a_login_is_wanted(
    line: Line, service: Service
) -> None:
    answer = replay(service.base, line, token_for(line))
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert answer.headers["content-type"] == "application/problem+json"


def twins() -> tuple[Study, Study]:
    """Return two studies of different patients with one StudyInstanceUID."""
    uids = [study.dicom_uid for study in studies()]
    first, second = (s for s in studies() if uids.count(s.dicom_uid) > 1)
    return first, second


def test_one_study_uid_under_two_patients_does_not_open_the_others_study(
    service: Service,
) -> None:
    mine, others = twins()
    asked = [
        line
        for line in lines("validate")
        if OTHER_TOKEN in str(line.body) and study_of(line) in {mine, others}
    ]
    for line in asked:
        other = others if study_of(line) == mine else mine
        assert decision(replay(service.base, line, other=share_token(other))) is False
    assert len(asked) >= 2


@pytest.fixture(scope="module", params=["site-a", ODD_SERVER])
def site(request: pytest.FixtureRequest) -> Iterator[tuple[str, Service]]:
    """Run a service for one Orthanc, which has a name."""
    with running(
        users=None, allow_unauthenticated=True, server_identifier=request.param
    ) as started:
        yield request.param, started


def test_only_the_orthanc_with_the_right_name_is_served(
    site: tuple[str, Service],
) -> None:
    name, service = site
    granted = 0
    for line in WITH_TOKEN:
        is_served = line.body["server-id"] == name
        expected = is_served and is_opened_by_its_share(line)
        answer = replay(service.base, line, token_for(line))
        assert decision(answer) is expected, line.case
        granted += expected
    assert granted >= 2


def test_the_older_name_of_the_server_counts_as_much(site: tuple[str, Service]) -> None:
    name, service = site
    for line in WITH_TOKEN:
        older = {k: v for k, v in line.body.items() if k != "server-id"}
        for identifier in (name, "another", None):
            changed = replace(line, body=older | {"identifier": identifier})
            expected = identifier == name and is_opened_by_its_share(line)
            answer = replay(service.base, changed, token_for(line))
            assert decision(answer) is expected, line.case


def test_a_question_with_two_names_of_the_server_is_denied(
    site: tuple[str, Service],
) -> None:
    name, service = site
    line = next(filter(is_opened_by_its_share, WITH_TOKEN))
    both = line.body | {"server-id": name, "identifier": "another"}
    answer = replay(service.base, replace(line, body=both), token_for(line))
    assert decision(answer) is False
    same = line.body | {"server-id": name, "identifier": name}
    answer = replay(service.base, replace(line, body=same), token_for(line))
    assert decision(answer) is True
