"""The wire format of shares, read and told again."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from orthanc_share.domain.errors import InvalidResourceError
from orthanc_share.domain.resource import Level, Resource
from orthanc_share.domain.share import Flavour, Share, ShareType
from token_service.schemas import ShareRequest, echo
from token_service.spelling import GUARDED

STUDY: dict[str, Any] = {
    "dicom-uid": "1.2.3",
    "orthanc-id": "11111111-22222222-33333333-44444444-55555555",
}
RESOURCE = Resource(Level.STUDY, STUDY["dicom-uid"], STUDY["orthanc-id"])


def read(**members: Any) -> ShareRequest:
    return ShareRequest.model_validate(
        {name.replace("_", "-"): value for name, value in members.items()}
    )


@pytest.mark.parametrize(
    "members",
    [
        STUDY,
        {"studies": [STUDY]},
        {"resources": [STUDY]},
        {"resources": [STUDY | {"level": "STUDY"}]},
        {"resources": [STUDY | {"level": None, "url": "x", "more": 1}]},
        {"resources": None, "studies": [STUDY]},
        {"dicom-uid": None, "studies": [STUDY]},
        {"dicom-uid": "", "orthanc-id": "", "studies": [STUDY]},
    ],
)
def test_all_forms_are_one_resource(members: dict[str, Any]) -> None:
    request = ShareRequest.model_validate(members)
    assert request.to_resources() == (RESOURCE,)


@pytest.mark.parametrize(
    "members",
    [
        {"studies": [STUDY], "resources": [STUDY]},
        {"studies": [STUDY], **STUDY},
        {"resources": [], "dicom-uid": "1.2.3"},
        {"studies": [{}]},
        {"resources": [{"level": "system", **STUDY}]},
    ],
)
def test_two_forms_or_no_id_are_none(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidResourceError):
        ShareRequest.model_validate(members).to_resources()


def test_no_form_is_no_resource() -> None:
    assert read().to_resources() == ()


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (None, None),
        ("2031-05-04", datetime(2031, 5, 4, tzinfo=UTC)),
        ("2031-05-04T10:00:00.5+02:00", datetime(2031, 5, 4, 8, tzinfo=UTC)),
    ],
)
def test_a_date_is_read_as_utc(stated: str | None, expected: datetime | None) -> None:
    assert read(expiration_date=stated).expiration_date == expected


@pytest.mark.parametrize("stated", ["", "soon", 5, 5.5, True, [], {}])
def test_what_is_no_date_is_refused_without_being_told(stated: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        read(expiration_date=stated)
    assert "should be an ISO 8601 date-time" in str(refused.value)
    assert "soon" not in str(refused.value)


def test_longer_ids_than_there_are_get_refused() -> None:
    for name, longest in (("dicom-uid", 64), ("orthanc-id", 44), ("id", 256)):
        ShareRequest.model_validate({name: "1" * longest})
        with pytest.raises(ValidationError):
            ShareRequest.model_validate({name: "1" * (longest + 1)})


def share(**changes: Any) -> Share:
    values: dict[str, Any] = {
        "id": "x",
        "type": ShareType.STONE_PUBLICATION,
        "resources": (RESOURCE,),
        "expires_at": datetime(2031, 5, 4, tzinfo=UTC),
    }
    return Share(**values | changes)


def test_a_request_is_told_in_the_form_in_which_it_came() -> None:
    told = {
        "id": "mine",
        "type": "stone-viewer-publication",
        "expiration-date": "2031-05-04T00:00:00+00:00",
    }
    leveled = STUDY | {"url": None, "level": "study"}
    first = echo(read(id="mine", studies=[STUDY]), share())
    assert first == told | {"studies": [STUDY], "anonymized": False}
    second = echo(read(id="mine", resources=[STUDY], validity_duration=9), share())
    assert second == told | {"resources": [leveled], "validity-duration": 9}


def test_an_anonymized_request_says_so_in_both_forms() -> None:
    endless = share(flavour=Flavour.ANONYMIZED, expires_at=None)
    for form in ("studies", "resources"):
        request = read(anonymized=True, **{form: [STUDY]})
        assert request.flavour is Flavour.ANONYMIZED
        told = echo(request, endless)
        assert told["anonymized"] is True
        assert told["expiration-date"] is None


@pytest.mark.parametrize(
    ("meant", "name"),
    [
        *[("title", name) for name in ("Title", "TITLE", "ti-tle", "title_", " title")],
        *[("not-before", name) for name in ("notBefore", "notbefore", "Not-Before")],
        *[("max-openings", name) for name in ("maxOpenings", "max--openings")],
        *[("max-openings", name) for name in ("MAX_OPENINGS", "maxopenings")],
        *[("max-openings", name) for name in ("max-opening", "max_opening")],
        *[("max-openings", name) for name in ("maxOpening", "MaxOpening")],
        *[
            ("password", name)
            for name in ("Password", "pass-word", "pa\u017f\u017fword")
        ],
        *[("notify", name) for name in ("Notify", "NOTIFY", "not_ify")],
        *[("anonymized", name) for name in ("Anonymized", "anonymised", "ANONYMISED")],
        *[("expiration-date", name) for name in ("expirationDate", "expirationdate")],
        *[("validity-duration", name) for name in ("validityDuration",)],
    ],
)
@pytest.mark.parametrize("value", [None, 3, "of nobody"])
def test_what_is_nearly_a_limit_is_refused_and_not_repeated(
    meant: str, name: str, value: Any
) -> None:
    with pytest.raises(ValidationError) as refused:
        ShareRequest.model_validate(STUDY | {name: value})
    assert f"nearly {meant}: spell it so" in str(refused.value)
    assert name not in str(refused.value).replace(meant, "")
    assert "of nobody" not in str(refused.value)


def test_every_guarded_member_is_known_in_both_spellings() -> None:
    known = ShareRequest.model_fields
    assert {name.replace("-", "_") for name in GUARDED} <= known.keys()
    for name in ("max-openings", "max_openings"):
        assert ShareRequest.model_validate({name: 3}).max_openings == 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max-openings", (None, 3)),
        ("max-openings", (3, None)),
        ("max-openings", (3, 4)),
        ("not-before", (None, "2031-05-04")),
        ("expiration-date", ("2031-05-04", "2032-05-04")),
        ("validity-duration", (None, 60)),
        ("dicom-uid", ("1.2.3", "1.2.4")),
    ],
)
def test_two_spellings_that_mean_two_things_are_refused(
    name: str, values: tuple[Any, Any]
) -> None:
    with pytest.raises(ValidationError) as refused:
        ShareRequest.model_validate(dict(zip(spellings(name), values, strict=True)))
    assert f"names {name} twice" in str(refused.value)
    assert "2031" not in str(refused.value)


def spellings(name: str) -> tuple[str, str]:
    return name, name.replace("-", "_")


def test_two_spellings_of_one_thing_are_one() -> None:
    request = ShareRequest.model_validate(dict.fromkeys(spellings("max-openings"), 3))
    assert request.max_openings == 3


@pytest.mark.parametrize(
    "name",
    [
        "url",
        "Level",
        "name",
        "passwords",
        "max-opening-hours",
        "expires",
        "",
        "-",
    ],
)
def test_other_members_are_taken_and_ignored(name: str) -> None:
    request = ShareRequest.model_validate(STUDY | {name: "x"})
    assert request == ShareRequest.model_validate(STUDY)


@pytest.mark.parametrize("content", [[], "title", 5, None])
def test_what_is_no_object_is_no_request(content: Any) -> None:
    with pytest.raises(ValidationError):
        ShareRequest.model_validate(content)
