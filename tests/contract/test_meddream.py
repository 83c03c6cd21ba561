"""MedDream's token service misbehaves; shares and Orthanc must not suffer."""

from collections.abc import Iterator

import pytest

from tests.support.meddream import Fault, MedDreamTokenService
from tests.support.service import STUDY, Service, running
from tests.support.settings import PUBLIC

NONSENSE = {
    Fault.ERROR,
    Fault.REDIRECT,
    Fault.HTML,
    Fault.JSON,
    Fault.EMPTY,
    Fault.WHITE_SPACE,
    Fault.TWO_WORDS,
    Fault.LONG,
    Fault.HUGE,
    Fault.COMPRESSED,
    Fault.NO_HTTP,
    Fault.CLOSE,
}
"""What is an answer, but none of use."""

UNAVAILABLE = {Fault.OVERLOADED, Fault.DRIP}
"""What may be better in a moment."""


@pytest.fixture
def stand_in() -> Iterator[MedDreamTokenService]:
    """Run a token service of this test alone."""
    with MedDreamTokenService() as started:
        yield started


@pytest.fixture
def broker(stand_in: MedDreamTokenService) -> Iterator[Service]:
    """Run a service that asks it."""
    with running(
        public_meddream_root=f"{PUBLIC}/meddream/",
        meddream_token_service_url=stand_in.url,
        meddream_timeout=0.5,
        meddream_storage="Archive",
    ) as started:
        yield started


@pytest.mark.parametrize("fault", sorted(NONSENSE | UNAVAILABLE))
def test_a_link_is_not_made_of_an_error(
    fault: Fault, broker: Service, stand_in: MedDreamTokenService
) -> None:
    stand_in.fault = fault
    refused = broker.create("meddream-instant-link")
    assert refused.status == (502 if fault in NONSENSE else 503)
    assert refused.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in refused.headers) is (fault in UNAVAILABLE)
    assert b"secret" not in refused.raw
    assert stand_in.url.encode() not in refused.raw


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.OVERLOADED, Fault.CLOSE])
def test_decode_still_tells_the_study_while_meddream_is_down(
    fault: Fault, broker: Service, stand_in: MedDreamTokenService
) -> None:
    token = broker.token("meddream-viewer-publication")
    stand_in.fault = fault
    decoded = broker.decode(token)
    assert decoded["error-code"] == "unknown"
    assert decoded["redirect-url"] is None
    assert decoded["resources"][0]["dicom-uid"] == STUDY.dicom_uid
    assert broker.is_granted(token) is True


def test_a_token_service_that_is_not_there_is_told_by_readiness() -> None:
    with MedDreamTokenService() as gone:
        url = gone.url
    with running(
        public_meddream_root=f"{PUBLIC}/meddream/", meddream_token_service_url=url
    ) as service:
        ready = service.call("GET", "/ready")
        assert ready.status == 503
        assert ready.json["dependencies"] == {"meddream": "unavailable"}
        assert service.create("meddream-instant-link").status == 503
        assert service.create().status == 200
        assert service.call("GET", "/health").status == 200


def test_a_broken_connection_is_tried_once_more(
    broker: Service, stand_in: MedDreamTokenService
) -> None:
    stand_in.fault = Fault.CLOSE_ONCE
    assert broker.create("meddream-instant-link").status == 200
    assert len(stand_in.calls) == 2
    assert stand_in.calls[0]["items"][0]["studies"]["storage"] == "Archive"


@pytest.mark.parametrize("level", ["series", "instance"])
def test_meddream_opens_whole_studies_only(
    level: str, broker: Service, stand_in: MedDreamTokenService
) -> None:
    one = {"dicom-uid": STUDY.dicom_uid, "level": level}
    assert broker.create("meddream-instant-link", resources=[one]).status == 422
    nameless = {"orthanc-id": STUDY.orthanc_id}
    assert broker.create("meddream-instant-link", resources=[nameless]).status == 422
    assert stand_in.calls == []
