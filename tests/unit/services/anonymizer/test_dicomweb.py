"""DICOMweb as viewers use it, with a stand-in of Orthanc."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import (
    EncapsulatedPDFStorage,
    SecondaryCaptureImageStorage,
)

from anonymizer import images, index, orthanc, rewriting
from demo.sample_data import MR_STUDY
from orthanc_share.domain.resource import Level, Resource
from tests.support.anonymized import (
    ANY_FILE,
    ANY_FRAME,
    ROOT,
    Running,
    Source,
    as_json,
    dicom_json,
    files_in,
    parts_of,
    real_path,
    real_series_path,
)
from tests.support.orthanc_double import Reply, multipart

OCTETS = "application/octet-stream"
PNG = (
    b"\x89PNG\r\n\x1a\n"
    b"\0\0\0\rIHDR0123456789abcCRC!"
    b"\0\0\0\x07tEXtDEMO^CTCRC!"
    b"\0\0\0\x02IDATxxCRC!"
    b"\0\0\0\0IENDCRC!"
    b"DEMO^CT"
)
"""A picture with a text in it and one behind it."""


def _jpeg() -> bytes:
    """Return a picture with a comment."""
    written = io.BytesIO()
    Image.new("L", (64, 64), 99).save(written, "JPEG", comment=b"DEMO^CT")
    return written.getvalue()


JPEG = _jpeg()


def document(source: Source, number: int = 0) -> Source:
    """Return the study with one image that became a report."""
    changed = source.datasets[number]
    changed.SOPClassUID = changed.file_meta.MediaStorageSOPClassUID = (
        EncapsulatedPDFStorage
    )
    return source


def two_series() -> Source:
    """Return a study with two series of two images."""
    source = Source.sample(4)
    for number, dataset in enumerate(source.datasets[2:]):
        dataset.SeriesInstanceUID = f"{dataset.StudyInstanceUID}.9"
        dataset.SeriesNumber = 2
        dataset.InstanceNumber = 2 - number
    return source


def test_the_study_is_found_without_its_identity(anonymizer: Running) -> None:
    source = two_series()
    names = anonymizer.share(source)
    answer = anonymizer.get("/dicom-web/studies")
    assert answer.headers["Content-Type"] == "application/dicom+json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    (study,) = answer.json()
    assert study["0020000D"]["Value"] == [names.study]
    assert study["00100010"]["Value"] == [{"Alphabetic": "Anonymous"}]
    assert study["00100020"]["Value"][0].startswith("ANON-")
    assert study["00080061"]["Value"] == ["CT"]
    assert study["00201206"]["Value"] == [2]
    assert study["00201208"]["Value"] == [4]
    assert study["00081190"]["Value"] == [f"{ROOT}dicom-web/studies/{names.study}"]


def test_series_and_instances_come_in_their_order(anonymizer: Running) -> None:
    names = anonymizer.share(two_series())
    series = anonymizer.get(f"{names.study_path}/series").json()
    assert [one["0020000E"]["Value"][0] for one in series] == [
        names.series_uid(0),
        names.series_uid(2),
    ]
    assert [one["00201209"]["Value"] for one in series] == [[2], [2]]
    instances = anonymizer.get(f"{names.series_path(2)}/instances").json()
    assert [one["00080018"]["Value"][0] for one in instances] == [
        names.instance_uid(3),
        names.instance_uid(2),
    ]
    assert [one["00280010"]["Value"] for one in instances] == [[256], [256]]
    assert instances[0]["00081190"]["Value"][0].endswith(names.instance_path(3))
    everything = anonymizer.get(f"{names.study_path}/instances").json()
    assert len(everything) == 4


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 4),
        ("?limit=3", 3),
        ("?limit=3&offset=2", 2),
        ("?offset=9", 0),
        ("?limit=0", 0),
        ("?StudyInstanceUID={study}", 4),
        ("?0020000D={study}&0020000E={series}", 2),
        ("?SeriesInstanceUID={series}", 2),
        ("?SeriesInstanceUID=1.2.3,{series}", 2),
        ("?00080018={instance}&includefield=00080016&limit=1", 1),
        ("?StudyInstanceUID=1.2.3", 0),
        ("?PatientName=*", 4),
        ("?PatientName=anon*", 4),
        ("?PatientName=Anonymou?&fuzzymatching=true", 4),
        ("?PatientName=DEMO*", 0),
        ("?PatientBirthDate=19700101", 0),
        ("?AccessionNumber=*1", 0),
        ("?00091001=x", 0),
        ("?InstanceNumber=1", 2),
        ("?includefield=all&includefield=PatientName,NoSuchName", 4),
    ],
)
def test_queries_see_only_what_is_shown(
    query: str, number: int, anonymizer: Running
) -> None:
    names = anonymizer.share(two_series())
    path = "/dicom-web/instances" + query.format(
        study=names.study, series=names.series_uid(), instance=names.instance_uid()
    )
    found = anonymizer.get(path).json()
    assert len(found) == number
    if "PatientName," in query:
        assert all("00100010" in one for one in found)
    asked = {one.path for one in anonymizer.orthanc.asked}
    assert not any(word in path for path in asked for word in ("Name", "DEMO", "limit"))


@pytest.mark.parametrize(
    "query",
    [
        *("?limit=-1", "?limit=x", "?offset=1.5", "?foo=1", "?limit=1&limit=2"),
        *("?PatientID=1&00100020=2", f"?PatientID={'x' * 9000}"),
        "?" + "&".join(f"{0x00100000 + number:08X}=1" for number in range(60)),
    ],
)
def test_queries_that_are_not_understood_are_refused(
    query: str, anonymizer: Running
) -> None:
    anonymizer.share(Source.sample(1))
    answer = anonymizer.get(f"/dicom-web/studies{query}", status=400)
    assert "DEMO" not in answer.text


def test_the_query_for_series_of_all_studies(anonymizer: Running) -> None:
    names = anonymizer.share(two_series())
    found = anonymizer.get("/dicom-web/series?SeriesNumber=2").json()
    assert [one["0020000E"]["Value"][0] for one in found] == [names.series_uid(2)]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/dicom+json"),
        ("application/dicom+json", "application/dicom+json"),
        ("application/json", "application/json"),
        ("application/json;q=0.5, application/dicom+json", "application/dicom+json"),
        ("text/html, */*;q=0.1", "application/dicom+json"),
        ("application/json;q=much, nothing, */*", "application/dicom+json"),
        (ANY_FRAME + ", application/dicom+json", "application/dicom+json"),
    ],
)
def test_json_comes_in_the_form_that_is_accepted(
    accept: str | None, kind: str, anonymizer: Running
) -> None:
    names = anonymizer.share(Source.sample(1))
    for path in (f"{names.study_path}/metadata", "/dicom-web/studies"):
        answer = anonymizer.get(path, accept)
        assert answer.headers["Content-Type"] == kind


@pytest.mark.parametrize(
    "accept",
    [
        'multipart/related; type="application/dicom+xml"',
        "application/dicom+xml",
        "text/html",
        "application/dicom+json;q=0",
    ],
)
def test_there_is_no_other_form(accept: str, anonymizer: Running) -> None:
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(f"{names.study_path}/metadata", accept, status=406)


def test_metadata_and_files_agree(anonymizer: Running) -> None:
    names = anonymizer.share(two_series())
    told = anonymizer.get(f"{names.study_path}/metadata").json()
    files = files_in(anonymizer.get(names.study_path, ANY_FILE))
    assert len(told) == len(files) == 4
    by_uid = {one["00080018"]["Value"][0]: one for one in told}
    for file in files:
        described = file.to_json_dict(64, lambda _: "")
        shown = by_uid[file.SOPInstanceUID]
        assert shown["7FE00010"]["BulkDataURI"] == (
            f"{ROOT}dicom-web/studies/{names.study}/series/"
            f"{file.SeriesInstanceUID}/instances/{file.SOPInstanceUID}/bulk/7FE00010"
        )
        del described["7FE00010"], shown["7FE00010"]
        assert described == shown


def test_pixels_are_those_of_the_original(anonymizer: Running) -> None:
    source = Source.sample(3)
    names = anonymizer.share(source)
    by_uid = {
        names.instance_uid(number): bytes(dataset.PixelData)
        for number, dataset in enumerate(source.datasets)
    }
    for file in files_in(anonymizer.get(names.series_path(), ANY_FILE)):
        assert bytes(file.PixelData) == by_uid[file.SOPInstanceUID]
    path, pixels = names.instance_path(), by_uid[names.instance_uid()]
    (whole,) = files_in(anonymizer.get(path, ANY_FILE))
    assert bytes(whole.PixelData) == pixels
    single = anonymizer.get(path, "application/dicom")
    assert dcmread(io.BytesIO(single.content)).SOPInstanceUID == whole.SOPInstanceUID
    for accept in (ANY_FRAME, None, 'multipart/related; type="*/*"'):
        ((kind, frame),) = parts_of(anonymizer.get(f"{path}/frames/1", accept))
        assert kind == f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.1"
        assert frame == pixels
    assert anonymizer.get(f"{path}/frames/1", OCTETS).content == pixels
    assert anonymizer.get(f"{path}/bulk/7FE00010", OCTETS).content == pixels
    ((kind, bulk),) = parts_of(anonymizer.get(f"{path}/bulk/7fe00010"))
    assert (kind, bulk) == (OCTETS, pixels)


@pytest.mark.parametrize(
    "last",
    [
        *("frames/2", "frames/1,2", "frames/2/rendered", "bulk/00100010"),
        *("bulk/00420011", "bulk/0040A730/1/0040A160", "frames/1/thumbnail/x"),
    ],
)
def test_what_the_image_does_not_have_is_not_found(
    last: str, anonymizer: Running
) -> None:
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(f"{names.instance_path()}/{last}", status=404)


@pytest.mark.parametrize(
    "accept",
    [
        'multipart/related; type="image/jpeg"',
        'multipart/related; type="application/dicom"; transfer-syntax=1.2.3.4',
        'multipart/related; type="application/dicom"; transfer-syntax="x y"',
        "image/png",
        "application/pdf",
    ],
)
def test_files_come_in_no_other_form(accept: str, anonymizer: Running) -> None:
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(names.instance_path(), accept, status=406)


def test_a_series_is_not_had_without_multipart(anonymizer: Running) -> None:
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(names.series_path(), "application/dicom", status=406)


def test_real_names_and_names_of_others_are_not_found(anonymizer: Running) -> None:
    source = two_series()
    names = anonymizer.share(source)
    real = source.datasets[0]
    other = Source.sample(1, MR_STUDY)
    for path in (
        f"/dicom-web/studies/{real.StudyInstanceUID}/metadata",
        f"{names.study_path}/series/{real.SeriesInstanceUID}/metadata",
        f"{names.series_path()}/instances/{real.SOPInstanceUID}",
        f"/dicom-web/studies/{names.pseudonyms.uid(other.study.dicom_uid)}/metadata",
        f"{names.study_path}/series/{names.instance_uid()}/metadata",
        f"{names.series_path(2)}/instances/{names.instance_uid(0)}/metadata",
        f"/dicom-web/studies/{names.series_uid()}/series/{names.series_uid()}/metadata",
        f"/dicom-web/studies/1.2.3/series/{names.series_uid()}/metadata",
        names.instance_path().replace("/series", "9/series"),
    ):
        answer = anonymizer.client.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "not_found"
    asked = anonymizer.orthanc.paths()
    assert not any(path.startswith("dicom-web/") for path in asked)


def test_what_comes_later_is_found_by_asking_again(anonymizer: Running) -> None:
    few, more = Source.sample(1), Source.sample(2)
    names = anonymizer.share(few)
    assert len(anonymizer.get(f"{names.study_path}/instances").json()) == 1
    anonymizer.orthanc.answers = more.answers()
    uid = names.pseudonyms.uid(str(more.datasets[1].SOPInstanceUID))
    # A list that is a moment old is believed.
    anonymizer.get(f"{names.series_path()}/instances/{uid}/metadata", status=404)


@pytest.mark.parametrize("level", [Level.SERIES, Level.INSTANCE])
def test_of_a_part_of_a_study_only_that_part_exists(
    level: Level, anonymizer: Running
) -> None:
    source = two_series()
    names = anonymizer.share(source, source.resource(level, 3))
    number = {Level.SERIES: 2, Level.INSTANCE: 1}[level]
    assert len(anonymizer.get("/dicom-web/series").json()) == 1
    assert len(anonymizer.get("/dicom-web/instances").json()) == number
    assert len(anonymizer.get(f"{names.study_path}/metadata").json()) == number
    assert len(files_in(anonymizer.get(names.study_path, ANY_FILE))) == number
    assert len(files_in(anonymizer.get(names.series_path(3), ANY_FILE))) == number
    anonymizer.get(names.series_path(0), ANY_FILE, status=404)


def test_two_parts_of_a_study_are_one_study(anonymizer: Running) -> None:
    source = two_series()
    parts = [source.resource(Level.INSTANCE, 0), source.resource(Level.SERIES, 2)]
    anonymizer.share(source, *parts, source.resource(Level.INSTANCE, 2))
    (study,) = anonymizer.get("/dicom-web/studies").json()
    assert study["00201206"]["Value"] == [2]
    assert study["00201208"]["Value"] == [3]


def test_a_resource_whose_ids_disagree_is_empty(anonymizer: Running) -> None:
    source = Source.sample(1)
    wrong = Resource(Level.STUDY, "1.2.3", source.study.orthanc_id)
    anonymizer.share(source, wrong)
    assert anonymizer.get("/dicom-web/studies").json() == []


@pytest.mark.parametrize("level", [Level.STUDY, Level.SERIES, Level.INSTANCE])
def test_orthanc_is_asked_for_the_id_that_the_share_does_not_name(
    level: Level, anonymizer: Running
) -> None:
    source = Source.sample(1)
    uid = source.resource(level).dicom_uid
    anonymizer.share(source, Resource(level, uid))
    assert len(anonymizer.get("/dicom-web/instances").json()) == 1


def test_one_uid_of_two_patients_names_nothing(anonymizer: Running) -> None:
    source = Source.sample(1)
    twice = [
        {"ID": source.study.orthanc_id, "Type": "Study"},
        {"ID": "0" * 8 + "-00000000" * 4, "Type": "Study"},
    ]
    shared = Resource(Level.STUDY, source.study.dicom_uid)
    anonymizer.share(source, shared, changes={"tools/lookup": as_json(twice)})
    assert anonymizer.get("/dicom-web/studies").json() == []


@pytest.mark.parametrize(
    "told",
    [
        *([], {}, [1], [{"ID": 5}], [{}], {"ID": "x", "MainDicomTags": {"a": 1}}),
        *("text", None, 7, [[]]),
    ],
)
def test_an_index_that_orthanc_makes_up_is_an_error(
    told: Any, anonymizer: Running
) -> None:
    source = Source.sample(1)
    base = f"studies/{source.study.orthanc_id}"
    for path in (base, f"{base}/series", f"{base}/instances"):
        anonymizer.share(source, changes={path: as_json(told)})
        answer = anonymizer.client.get("/dicom-web/studies")
        # An empty list is a list.
        assert answer.status_code == (200 if told == [] and path != base else 502)


def test_an_id_of_another_form_is_no_id(anonymizer: Running) -> None:
    source = Source.sample(1)
    shared = Resource(Level.STUDY, source.study.dicom_uid)
    found = as_json([{"ID": "../system", "Type": "Study"}])
    anonymizer.share(source, shared, changes={"tools/lookup": found})
    anonymizer.get("/dicom-web/studies", status=502)


def test_a_blocked_instance_keeps_its_place(anonymizer: Running) -> None:
    source = document(Source.sample(2))
    source.datasets[0].Modality = "DOC"
    names = anonymizer.share(source)
    (series,) = anonymizer.get(f"{names.study_path}/series").json()
    assert series["00080060"]["Value"] == ["OT"]
    path = names.instance_path()
    found = anonymizer.get(f"{names.study_path}/instances").json()
    assert [one["00080016"]["Value"][0] for one in found] == [
        SecondaryCaptureImageStorage,
        source.datasets[1].SOPClassUID,
    ]
    (told,) = anonymizer.get(f"{path}/metadata").json()
    assert "Reports and documents" in told["00082111"]["Value"][0]
    shown = [
        *files_in(anonymizer.get(names.series_path(), ANY_FILE))[:1],
        *files_in(anonymizer.get(path, ANY_FILE)),
        *files_in(anonymizer.get(path, 'multipart/related; type="application/dicom"')),
    ]
    ((_, frame),) = parts_of(anonymizer.get(f"{path}/frames/1", ANY_FRAME))
    for file in shown:
        assert file.SOPInstanceUID == names.instance_uid()
        assert file.SOPClassUID == SecondaryCaptureImageStorage
        assert bytes(file.PixelData) == frame
    assert anonymizer.get(f"{path}/bulk/7FE00010", OCTETS).content == frame
    for last in ("rendered", "thumbnail", "frames/1/rendered?viewport=300,200"):
        picture = anonymizer.get(f"{path}/{last}", "image/png")
        assert picture.content.startswith(b"\x89PNG")
    # Viewers lay it where the pixels of the file come later.
    whole = anonymizer.get(f"{path}/rendered", "image/jpeg").content
    with Image.open(io.BytesIO(whole)) as drawn:
        assert drawn.size == (shown[0].Columns, shown[0].Rows) == (256, 256)
    asked = anonymizer.orthanc.paths()
    assert not any("rendered" in path or "frames" in path for path in asked)


def test_an_instance_that_orthanc_lost_keeps_its_place(anonymizer: Running) -> None:
    source = Source.sample(2)
    lost = real_path(source.datasets[1])
    series = real_series_path(source.datasets[0])
    told = as_json([dicom_json(source.datasets[0])], "application/dicom+json")
    names = anonymizer.share(
        source,
        changes={
            f"{series}/metadata": told,
            series: source.answers()[real_path(source.datasets[0])],
            lost: Reply(status=404),
            f"{lost}/metadata": Reply(status=404),
        },
    )
    shown = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert [one["00080016"]["Value"][0] for one in shown] == [
        source.datasets[0].SOPClassUID,
        SecondaryCaptureImageStorage,
    ]
    files = files_in(anonymizer.get(names.series_path(), ANY_FILE))
    assert [file.SOPInstanceUID for file in files] == [
        names.instance_uid(0),
        names.instance_uid(1),
    ]
    (again,) = files_in(anonymizer.get(names.instance_path(1), ANY_FILE))
    assert again.SOPClassUID == SecondaryCaptureImageStorage


def test_a_file_that_is_worse_than_its_metadata_is_blocked_everywhere(
    anonymizer: Running,
) -> None:
    source = Source.sample(1)
    path = real_path(source.datasets[0])
    names = anonymizer.share(source, changes={path: multipart([b"DEMO^CT" * 9999])})
    before = anonymizer.get(f"{names.instance_path()}/metadata").json()
    (file,) = files_in(anonymizer.get(names.instance_path(), ANY_FILE))
    assert before[0]["00080016"]["Value"] == [source.datasets[0].SOPClassUID]
    assert file.SOPClassUID == SecondaryCaptureImageStorage
    ((_, frame),) = parts_of(
        anonymizer.get(f"{names.instance_path()}/frames/1", ANY_FRAME)
    )
    assert frame == bytes(file.PixelData)


def test_pictures_hold_nothing_but_the_picture(anonymizer: Running) -> None:
    source = Source.sample(3)
    at = [f"{real_path(one)}/frames/1/rendered" for one in source.datasets]
    names = anonymizer.share(
        source, changes={one: Reply(PNG, "image/png") for one in at}
    )
    for path in (
        f"{names.study_path}/rendered",
        f"{names.series_path()}/rendered",
        f"{names.series_path()}/thumbnail?viewport=64,64",
        f"{names.instance_path()}/rendered?window=40,400,linear&quality=50",
        f"{names.instance_path()}/frames/1/thumbnail",
    ):
        answer = anonymizer.get(path, "image/png")
        assert answer.headers["Content-Type"] == "image/png"
        assert b"tEXt" not in answer.content
        assert answer.content.endswith(b"IENDCRC!")
    queries = [one.path.partition("rendered")[2] for one in anonymizer.orthanc.asked]
    assert [query for query in queries if query] == [
        "?viewport=64,64",
        "?window=40,400,linear",
        "?viewport=128,128",
    ]


def test_a_comment_of_a_jpeg_is_blanked(anonymizer: Running) -> None:
    source = Source.sample(1)
    at = f"{real_path(source.datasets[0])}/frames/1/rendered"
    names = anonymizer.share(source, changes={at: Reply(JPEG, "image/jpeg")})
    answer = anonymizer.get(f"{names.instance_path()}/rendered?quality=50", "image/*")
    assert len(answer.content) == len(JPEG)
    assert b"DEMO" not in answer.content
    assert anonymizer.orthanc.asked[-1].path.endswith("?quality=50")


@pytest.mark.parametrize("status", [400, 406, 415, 500])
def test_what_orthanc_cannot_draw_is_not_acceptable(
    status: int, anonymizer: Running
) -> None:
    source = Source.sample(1)
    at = f"{real_path(source.datasets[0])}/frames/1/rendered"
    names = anonymizer.share(source, changes={at: Reply(status=status)})
    anonymizer.get(f"{names.instance_path()}/rendered", status=406)


@pytest.mark.parametrize(
    "query",
    [
        *("viewport=0,10", "viewport=9999,1", "viewport=x", "viewport=1"),
        *("window=1", "window=1,0", "window=1,2,other", "quality=0", "quality=101"),
    ],
)
def test_renderings_that_make_no_sense_are_refused(
    query: str, anonymizer: Running
) -> None:
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(f"{names.instance_path()}/rendered?{query}", status=400)


def test_pictures_come_in_no_other_form(anonymizer: Running) -> None:
    names = anonymizer.share(Source.sample(1))
    for accept in ("image/gif", "application/pdf", "video/mp4"):
        anonymizer.get(f"{names.instance_path()}/rendered", accept, status=406)


def test_an_object_without_pixels_has_no_picture_and_no_frame(
    anonymizer: Running,
) -> None:
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    for keyword in ("PixelData", "Rows", "Columns", "NumberOfFrames", "ImageType"):
        if keyword in dataset:
            delattr(dataset, keyword)
    names = anonymizer.share(source)
    anonymizer.get(f"{names.instance_path()}/rendered", status=404)
    anonymizer.get(f"{names.instance_path()}/frames/1", status=404)
    (file,) = files_in(anonymizer.get(names.instance_path(), ANY_FILE))
    assert file.SOPClassUID == dataset.SOPClassUID


COLOURS = {"Red": "00281201", "Green": "00281202", "Blue": "00281203"}
TABLE = bytes(n // 2 for n in range(512))


def palette() -> Source:
    """Return an image with a palette."""
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in COLOURS:
        name = f"{colour}PaletteColorLookupTable"
        setattr(dataset, f"{name}Descriptor", [256, 0, 16])
        setattr(dataset, f"{name}Data", TABLE)
    return source


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(multipart([TABLE], OCTETS), id="a part"),
        pytest.param(Reply(TABLE, OCTETS), id="by itself"),
    ],
)
def test_bulk_data_are_those_that_the_metadata_name(
    reply: Reply, anonymizer: Running
) -> None:
    source = palette()
    at = f"{real_path(source.datasets[0])}/bulk/00281201"
    names = anonymizer.share(source, changes={at: reply})
    (told,) = anonymizer.get(f"{names.instance_path()}/metadata").json()
    address = told[COLOURS["Red"]]["BulkDataURI"].removeprefix(ROOT[:-1])
    assert anonymizer.get(address, OCTETS).content == TABLE
    assert parts_of(anonymizer.get(address)) == [(OCTETS, TABLE)]
    anonymizer.get(address, "image/png", status=406)


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        pytest.param(Reply(b"DEMO^CT", OCTETS), 502, id="odd"),
        pytest.param(Reply(b"DEMO^CT!", OCTETS), 404, id="too short"),
        pytest.param(Reply(b"DEMO^CT!" * 64, OCTETS), 404, id="no table"),
        pytest.param(Reply(b"DEMO^CT!", "text/plain"), 502, id="text"),
        pytest.param(Reply(b"x" * 200_000, OCTETS), 502, id="too long"),
        pytest.param(multipart([b"x" * 200_000], OCTETS), 502, id="part too long"),
        pytest.param(multipart([TABLE, TABLE], OCTETS), 502, id="two parts"),
        pytest.param(multipart([], OCTETS), 502, id="no part"),
        pytest.param(
            multipart([TABLE], OCTETS, part_kind="text/plain"), 502, id="text part"
        ),
    ],
)
def test_bulk_data_that_are_something_else_are_not_shown(
    reply: Reply, status: int, anonymizer: Running
) -> None:
    source = palette()
    at = f"{real_path(source.datasets[0])}/bulk/00281201"
    names = anonymizer.share(source, changes={at: reply})
    answer = anonymizer.client.get(
        f"{names.instance_path()}/bulk/00281201", headers={"Accept": OCTETS}
    )
    assert answer.status_code == status
    assert b"DEMO" not in answer.content


@pytest.mark.parametrize("told", [[], [7], {}])
def test_a_table_whose_image_is_gone_is_not_shown(
    told: Any, anonymizer: Running
) -> None:
    source = palette()
    at = real_path(source.datasets[0])
    bulk = {f"{at}/bulk/00281201": Reply(TABLE, OCTETS)}
    names = anonymizer.share(source, changes=bulk)
    anonymizer.get(f"{names.instance_path()}/metadata")
    anonymizer.orthanc.answers[f"{at}/metadata"] = as_json(told)
    answer = anonymizer.client.get(f"{names.instance_path()}/bulk/00281201")
    assert answer.status_code == (404 if told == [] else 502)


def test_an_instance_of_which_orthanc_cannot_tell_keeps_its_place(
    anonymizer: Running,
) -> None:
    source = Source.sample(2)
    broken = f"{real_path(source.datasets[1])}/metadata"
    series = f"{real_series_path(source.datasets[0])}/metadata"
    refusals = {broken: Reply(status=500), series: Reply(status=500)}
    names = anonymizer.share(source, changes=refusals)
    shown = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert [one["00080016"]["Value"][0] for one in shown] == [
        source.datasets[0].SOPClassUID,
        SecondaryCaptureImageStorage,
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"00080050": {"Value": ["DEMO-CT-1"]}},
        {"00080050": {"vr": "XX", "Value": ["DEMO-CT-1"]}},
        {"00080018": {"vr": "UI"}},
        {"00080018": {"vr": "UI", "Value": [5]}},
        {"00080018": "DEMO-CT"},
    ],
)
def test_metadata_that_are_malformed_are_not_shown(
    change: dict[str, Any], anonymizer: Running
) -> None:
    source = Source.sample(1)
    told = dicom_json(source.datasets[0]) | change
    metadata = f"{real_series_path(source.datasets[0])}/metadata"
    names = anonymizer.share(source, changes={metadata: as_json([told])})
    (shown,) = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert shown["00080018"]["Value"] == [names.instance_uid()]
    assert "Image not shown" in shown["00082111"]["Value"][0]


def test_numbers_that_are_none_are_left_out(anonymizer: Running) -> None:
    source = Source.sample(1)
    base = f"studies/{source.study.orthanc_id}"
    series = source.answers()[f"{base}/series"]
    instances = source.answers()[f"{base}/instances"]
    assert isinstance(series, Reply)
    assert isinstance(instances, Reply)
    metadata = f"{real_series_path(source.datasets[0])}/metadata"
    names = anonymizer.share(
        source,
        changes={
            f"{base}/series": Reply(series.body.replace(b'"1"', b'"one"')),
            f"{base}/instances": Reply(instances.body.replace(b'"1"', b'""')),
            metadata: as_json([]),
        },
    )
    (shown,) = anonymizer.get(f"{names.study_path}/series").json()
    assert "00200011" not in shown
    (told,) = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert "Value" not in told["00200013"]


def test_metadata_may_tell_the_transfer_syntax(anonymizer: Running) -> None:
    source = Source.sample(2)
    told = [dicom_json(dataset) for dataset in source.datasets]
    told[0]["00083002"] = {"vr": "UI", "Value": ["1.2.840.10008.1.2.4.110"]}
    told[1]["00083002"] = {"vr": "UI", "Value": [5]}
    metadata = f"{real_series_path(source.datasets[0])}/metadata"
    names = anonymizer.share(source, changes={metadata: as_json(told)})
    shown = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert shown[0]["00080016"]["Value"] == [SecondaryCaptureImageStorage]
    assert "encoding" in shown[0]["00082111"]["Value"][0]


def test_a_study_of_reports_has_a_picture_that_says_so(anonymizer: Running) -> None:
    names = anonymizer.share(document(Source.sample(1)))
    answer = anonymizer.get(f"{names.study_path}/thumbnail", "image/png")
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (128, 128)


def test_long_metadata_come_in_batches(
    anonymizer: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "BATCH", 3000)
    names = anonymizer.share(Source.sample(4))
    told = anonymizer.get(f"{names.series_path()}/metadata").json()
    assert len(told) == 4


def test_more_images_than_can_be_remembered_are_an_error(
    anonymizer: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "KNOWN_MAX", 1)
    anonymizer.share(Source.sample(2))
    anonymizer.get("/dicom-web/instances", status=502)


def test_long_documents_are_decoded_in_a_thread(
    anonymizer: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orthanc, "JSON_IN_LOOP_MAX", 10)
    names = anonymizer.share(Source.sample(1))
    anonymizer.get(f"{names.study_path}/metadata")
    monkeypatch.setattr(rewriting, "THREAD_FROM", 10)
    anonymizer.get(names.series_path(), ANY_FILE)


def test_what_has_come_in_the_meantime_is_found(
    anonymizer: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "REFRESH_AFTER", timedelta(0))
    few, more = Source.sample(1), Source.sample(2)
    names = anonymizer.share(few)
    assert len(anonymizer.get(f"{names.study_path}/instances").json()) == 1
    anonymizer.orthanc.answers = more.answers()
    uid = names.pseudonyms.uid(str(more.datasets[1].SOPInstanceUID))
    anonymizer.get(f"{names.series_path()}/instances/{uid}/metadata")
    anonymizer.get(f"{names.series_path()}/instances/1.2.3/metadata", status=404)


def test_an_instance_of_a_series_that_is_not_listed_yet_is_left_out(
    anonymizer: Running,
) -> None:
    source = two_series()
    base = f"studies/{source.study.orthanc_id}/series"
    reply = source.answers()[base]
    assert isinstance(reply, Reply)
    first = as_json(json.loads(reply.body)[:1])
    anonymizer.share(source, changes={base: first})
    assert len(anonymizer.get("/dicom-web/instances").json()) == 2


def test_one_uid_of_a_series_and_an_image_hides_neither(
    anonymizer: Running,
) -> None:
    source = two_series()
    source.datasets[0].SOPInstanceUID = source.datasets[2].SeriesInstanceUID
    names = anonymizer.share(source)
    assert names.instance_uid(0) == names.series_uid(2)
    for path in (names.series_path(2), names.instance_path(0)):
        assert anonymizer.get(f"{path}/metadata").json()
    uri = f"/wado?requestType=WADO&objectUID={names.instance_uid(0)}"
    anonymizer.get(f"{uri}&contentType=application/dicom")
