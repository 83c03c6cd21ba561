"""A search for studies finds only what the token names."""

from typing import Any

import pytest
from typing_extensions import override

from demo.orthanc.decision import Gate
from demo.orthanc.options import Options, read_options
from demo.orthanc.request import Request, Token
from demo.orthanc.resources import Resources
from demo.orthanc.service import Profile, ServiceError, TokenService
from demo.orthanc.studylist import RefusedError, StudyList
from tests.unit.demo.orthanc.fakes import FakeOrthanc

OPTIONS = read_options(
    {"WebServiceRootUrl": "http://service", "TokenHttpHeaders": ["other", "token"]}
    | {"TokenGetArguments": ["token"]}
)


class Service(TokenService):
    """Decodes by the value of the token."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.decoded: list[str] = []

    @override
    def profile(self, token: Token | None) -> Profile:
        """Answer from the table."""
        doctor = token is not None and token.value == "doctor"
        return Profile(frozenset({"view"} if doctor else ()), frozenset("*"), {})

    @override
    def decode(self, key: str, value: str) -> dict[str, Any]:
        """Answer from the table."""
        self.decoded.append(value)
        if value == "failing":
            raise ServiceError(f"{key}: down")
        answers: dict[str, Any] = {
            "share": {"resources": [{"dicom-uid": "1.2", "level": "study"}]},
            "two": {"resources": [{"dicom-uid": "1.2"}, {"dicom-uid": "1.3"}]},
            "no-uid": {"resources": [{"dicom-uid": None}]},
            "strings": {"resources": ["1.2"]},
            "nothing": {},
            "null": {"resources": None},
        }
        return dict(answers.get(value, {"resources": []}))


@pytest.fixture
def orthanc() -> FakeOrthanc:
    return FakeOrthanc()


@pytest.fixture
def service() -> Service:
    return Service(OPTIONS)


@pytest.fixture
def studies(orthanc: FakeOrthanc, service: Service) -> StudyList:
    gate = Gate(OPTIONS, service, Resources(orthanc))
    return StudyList(OPTIONS, service, gate, orthanc)


def ask(headers: dict[str, str], **arguments: str) -> Request:
    return Request.of("/dicom-web/studies", "GET", headers, arguments)


def test_only_the_studies_of_the_token_are_searched(
    studies: StudyList, orthanc: FakeOrthanc
) -> None:
    studies.answer(ask({"token": "two"}, PatientID="P*", fuzzymatching="false"))
    assert orthanc.searches == [
        {
            "Level": "Study",
            "Expand": True,
            "Query": {"PatientID": "P*", "StudyInstanceUID": "1.2\\1.3"},
            "Limit": 1000,
            "Since": 0,
        }
    ]


def test_a_study_that_is_named_is_searched(
    studies: StudyList, orthanc: FakeOrthanc, service: Service
) -> None:
    studies.answer(ask({"token": "share"}, **{"0020,000D": "1.2"}))
    assert orthanc.searches[0]["Query"] == {"StudyInstanceUID": "1.2"}
    assert service.decoded == []


def test_a_user_who_may_view_all_searches_all(
    studies: StudyList, orthanc: FakeOrthanc
) -> None:
    studies.answer(ask({"token": "doctor"}, limit="5", offset="10"))
    assert orthanc.searches[0]["Query"] == {}
    assert orthanc.searches[0]["Limit"] == 5
    assert orthanc.searches[0]["Since"] == 10


@pytest.mark.parametrize("limit", ["-1", "x", "5000", "²"])
def test_an_odd_limit_does_not_count(
    limit: str, studies: StudyList, orthanc: FakeOrthanc
) -> None:
    studies.answer(ask({"token": "share"}, limit=limit))
    assert orthanc.searches[0]["Limit"] == 1000


@pytest.mark.parametrize(
    "token", ["expired", "no-uid", "strings", "nothing", "null", "failing"]
)
def test_a_token_that_names_no_study_sees_none(
    token: str, studies: StudyList, orthanc: FakeOrthanc
) -> None:
    with pytest.raises(RefusedError):
        studies.answer(ask({"token": token}))
    assert orthanc.searches == []


def test_a_token_in_the_address_is_not_decoded(
    studies: StudyList, service: Service
) -> None:
    with pytest.raises(RefusedError):
        studies.answer(ask({}, token="share"))
    assert service.decoded == []


def test_tokens_are_decoded_until_one_names_a_study(
    studies: StudyList, service: Service
) -> None:
    studies.answer(ask({"other": "expired", "token": "share"}))
    assert service.decoded == ["expired", "share"]


def test_the_answer_is_dicom_json(studies: StudyList) -> None:
    (found,) = studies.answer(ask({"token": "share"}))
    assert found["0020000D"] == {"vr": "UI", "Value": ["1.2"]}
    assert found["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]}
    assert found["00080020"] == {"vr": "DA"}
    assert found["00080061"] == {"vr": "CS", "Value": ["MR", "OT"]}
    assert found["00201206"] == {"vr": "IS", "Value": [2]}
    assert found["00201208"] == {"vr": "IS", "Value": [3]}
