"""WADO-URI: one image by its UIDs in the query."""

import io
from urllib.parse import urlencode

import pytest
from pydicom import dcmread

from tests.support.anonymized import Names, Running, Source, real_path
from tests.support.orthanc_double import Reply

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR0123456789abcCRC!"
    b"\0\0\0\x02IDATxxCRC!\0\0\0\0IENDCRC!"
)
SOURCE = Source.sample(1)
RENDERED = f"{real_path(SOURCE.datasets[0])}/frames/1/rendered"


def path(names: Names, **changes: str) -> str:
    """Return a request for the image, with changes; an empty text leaves one out."""
    query = {
        "requestType": "WADO",
        "studyUID": names.study,
        "seriesUID": names.series_uid(),
        "objectUID": names.instance_uid(),
    }
    left = {name: value for name, value in (query | changes).items() if value}
    return f"/wado?{urlencode(left)}"


def test_a_file_is_asked_for_by_its_media_type(anonymizer: Running) -> None:
    names = anonymizer.share(SOURCE)
    for changes in ({}, {"transferSyntax": "*"}, {"studyUID": "", "seriesUID": ""}):
        answer = anonymizer.get(path(names, contentType="application/dicom", **changes))
        assert answer.headers["Content-Type"] == "application/dicom"
        file = dcmread(io.BytesIO(answer.content))
        assert file.SOPInstanceUID == names.instance_uid()


@pytest.mark.parametrize(
    ("changes", "query"),
    [
        ({"contentType": "image/png"}, ""),
        ({"contentType": "text/html,image/png", "rows": "64"}, "?viewport=64,64"),
        (
            {"contentType": "image/png", "rows": "64", "columns": "32"},
            "?viewport=32,64",
        ),
        (
            {"contentType": "image/png", "windowCenter": "40", "windowWidth": "400"},
            "?window=40,400,linear",
        ),
        ({"contentType": "image/png", "frameNumber": "1"}, ""),
    ],
)
def test_a_picture_is_drawn_as_it_is_wanted(
    changes: dict[str, str], query: str, anonymizer: Running
) -> None:
    picture = Reply(PNG, "image/png")
    names = anonymizer.share(SOURCE, changes={RENDERED: picture})
    answer = anonymizer.get(path(names, **changes))
    assert answer.headers["Content-Type"] == "image/png"
    assert anonymizer.orthanc.asked[-1].path == f"/{RENDERED}{query}"


def test_a_picture_is_a_jpeg_if_nothing_is_said(anonymizer: Running) -> None:
    names = anonymizer.share(SOURCE)
    for kind in ("", "*/*", "image/*"):
        anonymizer.client.get(path(names, contentType=kind))
        assert anonymizer.orthanc.asked[-1].fields["accept"] == "image/jpeg"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"requestType": ""}, 400),
        ({"requestType": "QIDO"}, 400),
        ({"objectUID": ""}, 404),
        ({"objectUID": "1.2.3"}, 404),
        ({"studyUID": "1.2.3"}, 404),
        ({"seriesUID": "1.2.3"}, 404),
        ({"contentType": "application/pdf"}, 406),
        ({"contentType": "application/dicom", "transferSyntax": "1.2.3"}, 406),
        ({"contentType": "application/dicom", "transferSyntax": "x"}, 406),
        ({"frameNumber": "2"}, 404),
        ({"frameNumber": "x"}, 400),
        ({"rows": "0"}, 400),
        ({"windowCenter": "40"}, 400),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused(
    changes: dict[str, str], status: int, anonymizer: Running
) -> None:
    names = anonymizer.share(SOURCE)
    anonymizer.get(path(names, **changes), status=status)


def test_a_study_is_no_object(anonymizer: Running) -> None:
    names = anonymizer.share(SOURCE)
    anonymizer.get(path(names, objectUID=names.study), status=404)
