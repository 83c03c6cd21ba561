"""Requests are allowed and refused as by the C++ plugin."""

from collections.abc import Callable
from typing import Any

import pytest
from typing_extensions import override

from demo.orthanc.decision import Gate, is_open_study_list
from demo.orthanc.options import Options, read_options
from demo.orthanc.request import Request, Token
from demo.orthanc.resources import Resources, UnknownResourceError
from demo.orthanc.service import Checked, Profile, ServiceError, TokenService
from tests.unit.demo.orthanc.fakes import (
    OTHER_PATIENT,
    OTHER_STUDY,
    PATIENT,
    SERIES,
    STUDY,
    FakeOrthanc,
)

SECTION = {
    "WebServiceRootUrl": "http://service",
    "StandardConfigurations": ["osimis-web-viewer", "stone-webviewer", "ohif"],
    "CheckedLevel": "studies",
}
NOBODY = ((), ())
SHARE = "share"
Rights = tuple[tuple[str, ...], tuple[str, ...]]


class Service(TokenService):
    """Grants what a rule says; profiles by the value of the token."""

    def __init__(
        self,
        options: Options,
        rule: Callable[[Checked, Token | None], bool],
        profiles: dict[str, Rights],
    ) -> None:
        super().__init__(options)
        self.rule = rule
        self.profiles = profiles
        self.questions: list[tuple[str, str, str | None]] = []

    @override
    def granted(self, checked: Checked, token: Token | None) -> bool:
        """Answer by the rule."""
        value = None if token is None else token.value
        self.questions.append((checked.method, checked.level, value))
        return self.rule(checked, token)

    @override
    def profile(self, token: Token | None) -> Profile:
        """Answer from the table."""
        value = "" if token is None else token.value
        if value == "failing":
            raise ServiceError("down")
        permissions, labels = self.profiles.get(value, NOBODY)
        return Profile(frozenset(permissions), frozenset(labels), {})


def opens_study(checked: Checked, token: Token | None) -> bool:
    held = token is not None and token.value == "share"
    return held and checked.orthanc_id == STUDY and checked.method in {"get", "post"}


def gate(
    rule: Callable[[Checked, Token | None], bool] = opens_study,
    profiles: dict[str, Rights] | None = None,
    **section: Any,
) -> tuple[Gate, Service]:
    options = read_options({**SECTION, **section})
    service = Service(options, rule, profiles or {})
    return Gate(options, service, Resources(FakeOrthanc())), service


def ask(
    path: str, token: str | None = SHARE, method: str = "GET", **arguments: str
) -> Request:
    headers = {} if token is None else {"token": token}
    return Request.of(path, method, headers, arguments)


@pytest.mark.parametrize(
    "path", ["/ohif/app.js", "/osimis-viewer/config.js", "/system"]
)
def test_static_content_is_open_to_everybody(path: str) -> None:
    decide, service = gate()
    assert decide.allows(ask(path, token=None))
    assert service.questions == []


def test_only_get_is_unchecked() -> None:
    assert not gate()[0].allows(ask("/ohif/app.js", method="POST"))


@pytest.mark.parametrize(
    "path", [f"/studies/{STUDY}", f"/series/{SERIES}/archive", "/dicom-web/studies/1.2"]
)
def test_the_shared_study_is_open(path: str) -> None:
    assert gate()[0].allows(ask(path))


@pytest.mark.parametrize(
    "path",
    [
        f"/studies/{OTHER_STUDY}",
        f"/patients/{PATIENT}",
        "/studies",
        "/changes",
        "/tools/find",
        "/",
        "/dicom-web/servers",
    ],
)
def test_everything_else_is_closed(path: str) -> None:
    assert not gate()[0].allows(ask(path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"/studies/{STUDY}"),
        ("PUT", f"/studies/{STUDY}/attachments/x"),
        ("POST", "/tools/find"),
        ("POST", "/instances"),
        ("DELETE", "/dicom-web/studies/1.2"),
    ],
)
def test_nothing_can_be_changed(method: str, path: str) -> None:
    assert not gate()[0].allows(ask(path, method=method))


def test_an_unknown_resource_is_refused_without_a_question() -> None:
    decide, service = gate()
    with pytest.raises(UnknownResourceError):
        decide.allows(ask("/dicom-web/studies/7.7"))
    assert service.questions == []


def test_tokens_are_tried_until_one_is_granted() -> None:
    decide, service = gate()
    request = Request.of(
        f"/studies/{STUDY}", "GET", {"token": "wrong"}, {"token": "share"}
    )
    assert decide.allows(request)
    assert [value for _, _, value in service.questions] == ["wrong", "share"]


def test_without_token_the_service_is_asked_anonymously() -> None:
    decide, service = gate(lambda _checked, token: token is None)
    assert decide.allows(ask(f"/studies/{STUDY}", token=None))
    assert service.questions == [("get", "study", None)]


def test_a_dicomweb_read_is_asked_a_second_time_as_post() -> None:
    decide, service = gate()
    assert decide.allows(ask("/dicom-web/studies/1.2/metadata"))
    assert service.questions == [("get", "study", "share"), ("post", "study", "share")]


def test_a_token_in_the_address_alone_does_not_read_dicomweb() -> None:
    decide, service = gate()
    assert not decide.allows(ask("/dicom-web/studies/1.2", token=None, token_="x"))
    request = Request.of("/dicom-web/studies/1.2", "GET", {}, {"token": "share"})
    assert not decide.allows(request)
    assert service.questions[-1] == ("post", "study", None)


def test_without_profiles_there_is_no_second_question() -> None:
    decide, service = gate(
        WebServiceRootUrl=None, WebServiceTokenValidationUrl="http://service/validate"
    )
    assert decide.allows(ask("/dicom-web/studies/1.2"))
    assert service.questions == [("get", "study", "share")]


def test_without_validation_nothing_is_granted() -> None:
    decide, _ = gate(
        WebServiceRootUrl=None, WebServiceUserProfileUrl="http://service/profile"
    )
    assert not decide.allows(ask(f"/studies/{STUDY}"))


def test_every_level_must_be_granted_when_all_are_checked() -> None:
    decide, service = gate(lambda checked, _token: checked.level != "patient")
    assert decide.allows(ask(f"/studies/{STUDY}"))
    all_levels, service = gate(
        lambda checked, _token: checked.level != "patient", CheckedLevel=None
    )
    assert not all_levels.allows(ask(f"/studies/{STUDY}"))
    assert [level for _, level, _ in service.questions] == ["patient", "study"]


def test_what_is_no_resource_is_asked_as_system_when_all_levels_are_checked() -> None:
    decide, service = gate(CheckedLevel=None)
    assert not decide.allows(ask("/changes"))
    assert service.questions == [("get", "system", "share")]


def test_an_archive_needs_every_study_in_it() -> None:
    decide, _ = gate()
    path = "/tools/create-archive"
    assert decide.allows(ask(path, resources=STUDY))
    assert not decide.allows(ask(path, resources=f"{STUDY},{OTHER_STUDY}"))


def test_the_search_for_studies_passes_when_it_names_none() -> None:
    decide, _ = gate()
    assert decide.allows(ask("/dicom-web/studies", PatientID="P"))
    assert decide.allows(ask("/dicom-web/studies", StudyInstanceUID="1.2"))
    with pytest.raises(UnknownResourceError):
        decide.allows(ask("/dicom-web/studies", StudyInstanceUID="9.9"))
    assert not decide.allows(ask("/dicom-web/studies", method="POST"))
    assert not decide.allows(ask("/dicom-web/series"))


def test_contradictory_searches_are_refused() -> None:
    request = ask("/dicom-web/studies", StudyInstanceUID="1.2", **{"0020000D": "9.9"})
    with pytest.raises(UnknownResourceError):
        is_open_study_list(request)


def test_a_failing_service_is_an_error() -> None:
    def fail(_checked: Checked, _token: Token | None) -> bool:
        raise ServiceError("down")

    with pytest.raises(ServiceError):
        gate(fail)[0].allows(ask(f"/studies/{STUDY}"))


USERS: dict[str, Rights] = {
    "doctor": (("view", "share"), ("*",)),
    "ward": (("view",), ("ward-3",)),
    "guest": ((), ()),
}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/studies", "GET"),
        (f"/studies/{OTHER_STUDY}", "GET"),
        ("/auth/tokens/ohif-viewer-publication", "PUT"),
        ("/tools/find", "POST"),
    ],
)
def test_a_user_with_the_permission_is_not_asked_about(path: str, method: str) -> None:
    decide, service = gate(profiles=USERS)
    assert decide.allows(ask(path, "doctor", method))
    assert service.questions == []


def test_a_user_without_the_permission_may_not() -> None:
    decide, _ = gate(profiles=USERS)
    assert not decide.allows(ask(f"/studies/{STUDY}", "doctor", "DELETE"))
    assert not decide.allows(ask("/studies", "guest"))


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/studies", "GET", False),
        ("/dicom-web/studies", "GET", False),
        ("/tools/find", "POST", False),
        (f"/studies/{STUDY}", "GET", False),
        (f"/patients/{OTHER_PATIENT}", "GET", True),  # only levels above are named
        ("/statistics", "GET", True),
    ],
)
def test_a_user_with_labels_sees_nothing_that_has_them_as_orthanc_1_10_has_none(
    path: str, method: str, *, allowed: bool
) -> None:
    assert gate(profiles=USERS)[0].allows(ask(path, "ward", method)) is allowed


def test_with_all_levels_checked_labels_refuse_what_is_no_resource() -> None:
    decide, _ = gate(profiles=USERS, CheckedLevel=None)
    assert not decide.allows(ask("/statistics", "ward"))


def test_everybody_may_look_a_token_up_as_long_as_the_service_answers() -> None:
    decide, _ = gate()
    assert decide.allows(ask("/auth/tokens/decode", None, "POST"))
    assert not decide.allows(ask("/auth/tokens/decode", "failing", "POST"))


def test_of_several_tokens_the_last_one_decides_as_a_user() -> None:
    decide, _ = gate(profiles=USERS)
    headers = {"authorization": "doctor", "token": "guest"}
    assert not decide.allows(Request.of("/studies", "GET", headers, {}))
    headers = {"authorization": "guest", "token": "doctor"}
    assert decide.allows(Request.of("/studies", "GET", headers, {}))


def test_only_a_user_who_may_view_all_sees_an_unfiltered_list() -> None:
    decide, _ = gate(profiles=USERS)
    assert decide.may_see_all(ask("/dicom-web/studies", "doctor"))
    assert not decide.may_see_all(ask("/dicom-web/studies", "share"))
    assert not decide.may_see_all(ask("/dicom-web/studies", "ward"))
    no_profiles, _ = gate(
        WebServiceRootUrl=None, WebServiceTokenValidationUrl="http://service/validate"
    )
    assert not no_profiles.may_see_all(ask("/dicom-web/studies", "doctor"))
