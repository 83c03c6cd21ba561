"""The calls of Stone, Osimis, VolView and OHIF's dicom-json, in their order.

Taken from the viewers' sources; a real Orthanc with DICOMweb is behind the anonymizer.
"""

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, RLELossless

from demo.calls import call
from demo.sample_data import CT_STUDY, MR_STUDY, orthanc_id
from orthanc_share.domain.resource import Level, Resource
from tests.support.anonymized import parts_of
from tests.support.deidentified import (
    ROOT,
    Seen,
    Site,
    assert_hidden,
    image,
    in_front_of,
    members,
    running_site,
    screen_copy,
    written,
)
from tests.support.orthanc import Ids

CT, MR = Ids.of(CT_STUDY), Ids.of(MR_STUDY)
SCREEN = CT_STUDY.uid("series/screen")
FRAMES = np.arange(2 * 64 * 64, dtype="<i2").reshape(2, 64, 64) - 4000


def signed_frames() -> bytes:
    """Return an image of two frames with negative values."""
    return image(
        CT_STUDY,
        "frames",
        NumberOfFrames=2,
        Rows=64,
        Columns=64,
        PixelRepresentation=1,
        BitsStored=16,
        HighBit=15,
        PixelData=FRAMES.tobytes(),
    )


def text_in_pixels() -> bytes:
    """Return an image with text in the pixels, at a place that the site knows."""
    return image(
        CT_STUDY,
        "text",
        Manufacturer="Scanner maker",
        ManufacturerModelName="One",
        PixelData=np.full((256, 256), 100, "<u2").tobytes(),
    )


NUCLEAR = "1.2.840.10008.5.1.4.1.1.20"
"""Nuclear medicine: a class whose images may have colours."""

COLOURS = np.arange(64 * 64 * 3, dtype="u1").reshape(64, 64, 3)
GREYS = np.arange(64 * 64, dtype="u1").reshape(64, 64)


def small(part: str, pixels: np.ndarray[Any, Any], **tags: Any) -> bytes:
    """Return an image with 8 bits, of a class that may have colours."""
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    values = {
        "SOPClassUID": NUCLEAR,
        "Modality": "NM",
        "Rows": 64,
        "Columns": 64,
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": "RGB" if samples == 3 else "MONOCHROME2",
        "PlanarConfiguration": 0 if samples == 3 else None,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelData": pixels.tobytes(),
    }
    return image(CT_STUDY, part, **values | tags)


def palette(part: str, **tags: Any) -> bytes:
    """Return an image whose palette is reversed: what is 0 is white."""
    reversed_greys = (np.arange(255, -1, -1, dtype="<u2") * 257).tobytes()
    channels = {
        f"{colour}PaletteColorLookupTable{part}": value
        for colour in ("Red", "Green", "Blue")
        for part, value in (("Descriptor", [256, 0, 16]), ("Data", reversed_greys))
    }
    return small(
        part, GREYS, PhotometricInterpretation="PALETTE COLOR", **channels, **tags
    )


def compressed() -> bytes:
    """Return an image that has to be decoded for those who want it native."""
    made = read(small("compressed", COLOURS))
    made.compress(RLELossless, generate_instance_uid=False)
    return written(made)


def read(file: bytes) -> Dataset:
    return dcmread(io.BytesIO(file))


EXTRAS = (
    screen_copy(),
    signed_frames(),
    text_in_pixels(),
    small("grey", GREYS),
    small("colour", COLOURS),
    palette("palette"),
    palette("text-palette", Manufacturer="Scanner maker", ManufacturerModelName="Two"),
    compressed(),
)
"""Further images of the CT study, each in a series of its own; the first is blocked."""

MASKS = """
[[masks]]
manufacturer = "Scanner maker"
model = "One"
rows = 256
columns = 256
regions = [[0, 0, 256, 16]]

[[masks]]
manufacturer = "Scanner maker"
model = "Two"
rows = 64
columns = 64
regions = [[0, 0, 64, 16]]
"""


@pytest.fixture(scope="module")
def site(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    profile = folder / "profile.toml"
    profile.write_text(MASKS)
    with running_site(
        folder, samples, *EXTRAS, deidentification_profile=profile
    ) as one:
        yield one


@pytest.fixture(scope="module")
def hiding(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a second anonymizer, which leaves out what it does not show."""
    profile = tmp_path_factory.mktemp("hiding") / "profile.toml"
    profile.write_text('blocked = "hide"\n')
    with in_front_of(site.orthanc, deidentification_profile=profile) as one:
        yield one


@pytest.fixture(scope="module")
def seen(site: Site) -> Seen:
    return site.share(CT)


# --- Stone


@pytest.fixture
def stone(seen: Seen) -> Iterator[httpx.Client]:
    """Return what asks as Stone does: the token in `Authorization`, any answer will do.

    It sorts the names of a query, and writes commas as they are.
    """
    bearer = {"Authorization": f"Bearer {seen.token}", "Accept": "*/*"}
    with httpx.Client(base_url=seen.url, headers=bearer, trust_env=False) as client:
        yield client


FILE = 'multipart/related; type="application/dicom"; transfer-syntax={}'
"""How Stone asks for whole instances."""


def good(client: httpx.Client, path: str, accept: str = "*/*") -> httpx.Response:
    """Return an answer that must be 200 and name nobody."""
    answer = client.get(path, headers={"Accept": accept})
    assert answer.status_code == 200, (path, answer.text)
    assert_hidden(answer.content)
    return answer


def uids_in(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return all UIDs of an instance by their place; DICOM JSON has no group 2."""
    found = {}
    for tag, element in metadata.items():
        if element["vr"] == "UI":
            found[tag] = element.get("Value")
        if element["vr"] == "SQ":
            for number, item in enumerate(element.get("Value", [])):
                inner = uids_in(item)
                found |= {f"{tag}/{number}/{path}": uid for path, uid in inner.items()}
    return found


def test_stone_opens_a_study_with_its_calls_in_their_order(
    stone: httpx.Client, seen: Seen
) -> None:
    study = seen.uid(CT.study_uid)
    system = good(stone, "system", "application/json, text/plain, */*")
    assert system.json() == {"ApiVersion": 13}
    columns = "includefield=00081030"
    (found,) = good(stone, f"dicom-web/studies?0020000D={study}&{columns}").json()
    assert found["0020000D"]["Value"] == [study]
    (patient,) = found["00100020"]["Value"]
    of_patient = good(stone, f"dicom-web/studies?00100020={patient}&{columns}")
    assert of_patient.json() == [found]
    query = f"0020000D={study}&includefield=00081030,00200011"
    listed = good(stone, f"dicom-web/series?{query}").json()
    assert {one["0020000D"]["Value"][0] for one in listed} == {study}
    all_series = [one["0020000E"]["Value"][0] for one in listed]
    assert len(set(all_series)) == 1 + len(EXTRAS)
    for one in listed:
        (series,) = one["0020000E"]["Value"]
        query = f"0020000D={study}&0020000E={series}&includefield=00081030,00200011"
        assert good(stone, f"dicom-web/series?{query}").json() == [one]
        assert one["00200011"]["Value"]
    classes = [stone_finds_the_class_of(stone, study, one) for one in all_series]
    assert classes.count(NUCLEAR) == 5
    for series in all_series:
        thumbnail = f"dicom-web/studies/{study}/series/{series}/rendered"
        picture = jpeg(good(stone, f"{thumbnail}?viewport=128,128", "image/jpeg"))
        assert max(picture.size) <= 128
    syntaxes = {stone_shows_an_instance_of(stone, study, one) for one in all_series}
    # Of both kinds, or nothing would have been decoded for the second try.
    assert syntaxes == {ExplicitVRLittleEndian, RLELossless}


def stone_finds_the_class_of(client: httpx.Client, study: str, series: str) -> str:
    """Ask for one instance of a series, and return its SOP class."""
    query = f"0020000D={study}&0020000E={series}&includefield=00080016&limit=1"
    (one,) = good(client, f"dicom-web/instances?{query}").json()
    assert one["0020000E"]["Value"] == [series]
    (found,) = one["00080016"]["Value"]
    assert isinstance(found, str)
    return found


def jpeg(answer: httpx.Response) -> Image.Image:
    assert answer.headers["Content-Type"] == "image/jpeg"
    return Image.open(io.BytesIO(answer.content))


def stone_shows_an_instance_of(client: httpx.Client, study: str, series: str) -> UID:
    """Replay what follows the list of series, for the central instance of one.

    Returns:
        The transfer syntax in which it is stored.
    """
    path = f"dicom-web/studies/{study}/series/{series}"
    every = good(client, f"{path}/metadata").json()
    told = every[len(every) // 2]
    (uid,) = told["00080018"]["Value"]
    instance = f"{path}/instances/{uid}"
    assert good(client, f"{instance}/metadata").json() == [told]
    stored = stone_reads(client, instance, "*")
    again = stone_reads(client, instance, ExplicitVRLittleEndian)
    assert again.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert (again.pixel_array == stored.pixel_array).all()
    for file in (stored, again):
        # Stone takes the one for the other: they must agree on every UID.
        assert uids_in(file.to_json_dict(64, lambda _: "")) == uids_in(told)
    window = f"{instance}/frames/1/rendered?window=40,400,linear"
    assert jpeg(good(client, window)).size == (stored.Columns, stored.Rows)
    small_one = f"{instance}/frames/1/rendered?viewport=32,32"
    assert max(jpeg(good(client, small_one, "image/jpeg")).size) <= 32
    query = f"00080018={uid}&0020000D={study}&0020000E={series}"
    (referred,) = good(client, f"dicom-web/instances?{query}").json()
    assert referred["00080018"]["Value"] == [uid]
    found = stored.file_meta.TransferSyntaxUID
    assert isinstance(found, UID)
    return found


def stone_reads(client: httpx.Client, path: str, syntax: str) -> Dataset:
    """Return the whole file of an instance."""
    ((kind, file),) = parts_of(good(client, path, FILE.format(syntax)))
    assert kind == "application/dicom"
    return read(file)


def test_stone_finds_out_that_archives_are_downloaded(seen: Seen) -> None:
    assert seen.json("system") == {"ApiVersion": 13}


def test_stone_downloads_the_study_that_it_shows(seen: Seen) -> None:
    (found,) = seen.json("tools/lookup", seen.uid(CT.study_uid).encode())
    assert found == {
        "ID": seen.id(CT.study),
        "Path": f"/studies/{seen.id(CT.study)}",
        "Type": "Study",
    }
    reply = seen.ask(f"studies/{found['ID']}/archive?token={seen.token}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/zip"
    files = members(reply.body)
    assert len(files) == CT_STUDY.slices + len(EXTRAS)
    assert_hidden(reply.body)
    one = read(files["SE000001/IM000001.dcm"])
    assert one.StudyInstanceUID == seen.uid(CT.study_uid)
    assert one.PatientName == "Anonymous"
    original = next(iter(CT_STUDY.datasets()))
    assert one.PixelData == original.PixelData


def test_stone_s_other_download_does_not_exist(seen: Seen) -> None:
    path = f"studies/{seen.id(CT.study)}"
    for reply in (
        seen.ask(f"{path}/media"),
        seen.ask(f"{path}/archive", {"Asynchronous": True}),
    ):
        assert reply.status == 404
        assert reply.json()["code"] == "not_found"


def test_stone_finds_the_instances_of_a_study(seen: Seen) -> None:
    query = {"StudyInstanceUID": seen.uid(CT.study_uid)}
    found = seen.json("tools/find", {"Level": "Instance", "Query": query})
    assert seen.id(CT.instance) in found
    assert len(found) == CT_STUDY.slices + len(EXTRAS)


# --- tools/lookup and tools/find, which Orthanc never sees


@pytest.mark.parametrize(
    "real",
    [CT.study_uid, CT.instance_uid, MR.study_uid, CT_STUDY.patient_id, "", "é", "*"],
)
def test_nothing_is_found_by_a_real_name(seen: Seen, real: str) -> None:
    assert seen.json("tools/lookup", real.encode()) == []


def test_lookup_knows_all_levels(seen: Seen) -> None:
    for uid, kind in (
        (CT.series_uid, "Series"),
        (CT.instance_uid, "Instance"),
    ):
        (found,) = seen.json("tools/lookup", seen.uid(uid).encode())
        assert found["Type"] == kind
    patient = seen.json(f"patients/{seen.id(CT.patient)}")
    pseudonym = patient["MainDicomTags"]["PatientID"]
    assert seen.json("tools/lookup", pseudonym.encode()) == [
        {
            "ID": seen.id(CT.patient),
            "Path": f"/patients/{seen.id(CT.patient)}",
            "Type": "Patient",
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, 1 + len(EXTRAS)),
        ({"PatientName": CT_STUDY.patient}, 0),
        ({"PatientName": "DEMO*"}, 0),
        ({"PatientName": "anonym*"}, 0),
        ({"PatientName": "Anonym*"}, 1 + len(EXTRAS)),
        ({"0010,0020": "ANON-????????"}, 1 + len(EXTRAS)),
        ({"00100030": "19700101"}, 0),
        ({"PatientBirthDate": ""}, 1 + len(EXTRAS)),
        ({"PatientBirthDate": "?"}, 0),
        ({"PatientBirthDate": "*"}, 1 + len(EXTRAS)),
        ({"Modality": "MR\\CT"}, 4),
        ({"Modality": "nm"}, 0),
        ({"SeriesNumber": "1"}, 1),
        ({"NoSuchTag": "x"}, 0),
        ({"7777,7777": "x"}, 0),
    ],
)
def test_filters_see_what_the_visitor_sees(
    seen: Seen, query: dict[str, str], expected: int
) -> None:
    found = seen.json("tools/find", {"Level": "Series", "Query": query})
    assert len(found) == expected


def test_find_answers_at_each_level_and_page(seen: Seen) -> None:
    def find(level: str, **more: Any) -> Any:
        return seen.json("tools/find", {"Level": level, "Query": {}, **more})

    assert find("Patient") == [seen.id(CT.patient)]
    assert find("Study") == [seen.id(CT.study)]
    (patient,) = find("Patient", Expand=True)
    assert patient == seen.json(f"patients/{seen.id(CT.patient)}")
    (study,) = find("Study", Expand=True)
    assert study == seen.json(f"studies/{seen.id(CT.study)}")
    all_of_them = find("Instance")
    assert find("Instance", Since=2, Limit=3) == all_of_them[2:5]
    assert find("Instance", Expand=True)[0]["Type"] == "Instance"
    case = {"Query": {"PatientName": "ANONYMOUS"}, "CaseSensitive": False}
    assert find("Study", **case) == [seen.id(CT.study)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"Level":"Study"}',
        b'{"Level":"System","Query":{}}',
        b'{"Level":"Study","Query":{"PatientName":1}}',
        b'{"Level":"Study","Query":{},"Limit":-1}',
        b'{"Level":"Study","Query":{"PatientName":"%s"}}' % (b"x" * 300),
        b'{"Level":"Study","Query":{%s}}'
        % b",".join(b'"%d":"x"' % number for number in range(40)),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(seen: Seen, body: bytes) -> None:
    reply = seen.ask("tools/find", body)
    assert reply.status == 400
    assert reply.json()["code"] == "unreadable_question"


# --- Orthanc's documents


def test_documents_agree_with_each_other(seen: Seen) -> None:
    study = seen.json(f"studies/{seen.id(CT.study)}")
    assert study["ParentPatient"] == seen.id(CT.patient)
    assert study["MainDicomTags"]["StudyInstanceUID"] == seen.uid(CT.study_uid)
    assert study["PatientMainDicomTags"]["PatientName"] == "Anonymous"
    all_series = seen.json(f"studies/{study['ID']}/series")
    assert [one["ID"] for one in all_series] == study["Series"]
    instances = seen.json(f"studies/{study['ID']}/instances")
    assert [one["ID"] for one in instances] == [
        instance for one in all_series for instance in one["Instances"]
    ]
    series = seen.json(f"series/{seen.id(CT.series)}")
    assert series["MainDicomTags"]["SeriesDescription"] == "CT 1"
    assert series["ParentStudy"] == study["ID"]
    assert seen.json(f"series/{series['ID']}/study") == study
    of_series = seen.json(f"series/{series['ID']}/instances")
    assert [one["ID"] for one in of_series] == series["Instances"]
    instance = seen.json(f"instances/{seen.id(CT.instance)}")
    assert instance == of_series[0]
    assert instance["IndexInSeries"] == 1
    assert seen.json(f"instances/{instance['ID']}/study") == study
    assert seen.json(f"instances/{instance['ID']}/series") == series
    patient = seen.json(f"patients/{study['ParentPatient']}")
    assert patient["Studies"] == [study["ID"]]
    assert_hidden([study, all_series, instances, patient])


@pytest.mark.parametrize(
    "path",
    [
        "patients/{id}",
        "studies/{id}",
        "studies/{id}/series",
        "studies/{id}/instances",
        "studies/{id}/archive",
        "studies/{id}/ohif-dicom-json",
        "series/{id}",
        "series/{id}/study",
        "series/{id}/instances",
        "series/{id}/archive",
        "instances/{id}",
        "instances/{id}/study",
        "instances/{id}/series",
        "instances/{id}/file",
        "osimis-viewer/studies/{id}",
        "osimis-viewer/studies/{id}/annotations",
        "osimis-viewer/series/{id}",
        "osimis-viewer/images/{id}/0/high-quality",
    ],
)
def test_what_is_not_in_the_share_does_not_exist(
    site: Site, seen: Seen, path: str
) -> None:
    both = site.share(CT, MR)
    level = path.partition("/")[0]
    wrong = seen.id(CT.study) if "studies" not in path else seen.id(CT.series)
    for unknown in (
        CT.study,
        CT.series,
        CT.instance,
        CT.patient,
        MR.study,
        seen.id(MR.study),
        seen.id(MR.series),
        seen.id(MR.instance),
        both.id(CT.study),
        both.id(CT.series),
        wrong,
    ):
        reply = seen.ask(path.format(id=unknown))
        assert reply.status == 404, level
        assert reply.json()["code"] == "not_found"
        assert_hidden(reply.body)


def test_two_studies_of_a_share_are_both_there(site: Site) -> None:
    both = site.share(CT, MR)
    found = both.json("tools/find", {"Level": "Study", "Query": {}})
    assert found == [both.id(CT.study), both.id(MR.study)]


def test_a_share_of_one_series_shows_nothing_else_of_the_study(site: Site) -> None:
    part = site.share_of(Resource(Level.SERIES, SCREEN, None))
    study = part.json(f"studies/{part.id(CT.study)}")
    (series,) = study["Series"]
    assert part.ask(f"series/{part.id(CT.series)}").status == 404
    archive = part.ask(f"studies/{study['ID']}/archive")
    assert list(members(archive.body)) == ["SE000001/IM000001.dcm"]
    assert part.ask(f"series/{series}/archive").status == 200


# --- files and archives


def test_a_file_comes_as_it_is_in_the_archive(seen: Seen) -> None:
    reply = seen.ask(f"instances/{seen.id(CT.instance)}/file")
    assert reply.headers["content-type"] == "application/dicom"
    assert reply.headers["content-disposition"] == 'attachment; filename="image.dcm"'
    assert "no-store" in reply.headers["cache-control"]
    archive = seen.ask(f"series/{seen.id(CT.series)}/archive")
    files = members(archive.body)
    assert len(files) == CT_STUDY.slices
    assert files["SE000001/IM000001.dcm"] == reply.body


def instance_of(seen: Seen, series: str) -> str:
    """Return the id of the only instance of a series, given by its real UID."""
    (found,) = seen.json("tools/lookup", seen.uid(series).encode())
    (instance,) = seen.json(f"series/{found['ID']}")["Instances"]
    assert isinstance(instance, str)
    return instance


def test_a_blocked_instance_keeps_its_place(seen: Seen) -> None:
    instance = instance_of(seen, SCREEN)
    file = read(seen.ask(f"instances/{instance}/file").body)
    assert file.SOPInstanceUID == seen.uid(CT_STUDY.uid("image/screen"))
    assert file.DerivationDescription.startswith("Image not shown.")
    original = next(iter(CT_STUDY.datasets()))
    assert file.PixelData != original.PixelData


def test_a_masked_instance_has_lost_the_text(seen: Seen) -> None:
    instance = instance_of(seen, CT_STUDY.uid("series/text"))
    file = read(seen.ask(f"instances/{instance}/file").body)
    assert not file.pixel_array[:16].any()
    assert (file.pixel_array[16:] == 100).all()
    assert file.BurnedInAnnotation == "NO"


def test_a_site_may_leave_out_what_it_does_not_show(hiding: Site) -> None:
    seen = hiding.share(CT)
    assert seen.json("tools/lookup", seen.uid(SCREEN).encode()) == []
    all_series = seen.json(f"studies/{seen.id(CT.study)}")["Series"]
    assert len(all_series) == len(EXTRAS)
    find = {"Level": "Series", "Query": {}, "Expand": False}
    assert seen.json("tools/find", find) == all_series
    instances = seen.json("tools/find", {"Level": "Instance", "Query": {}})
    assert len(instances) == CT_STUDY.slices + len(EXTRAS) - 1
    shown = seen.json(f"studies/{seen.id(CT.study)}/instances")
    assert [one["ID"] for one in shown] == instances
    archive = seen.ask(f"studies/{seen.id(CT.study)}/archive")
    assert len(members(archive.body)) == CT_STUDY.slices + len(EXTRAS) - 1
    json = seen.json(f"studies/{seen.id(CT.study)}/ohif-dicom-json")
    assert json["studies"][0]["NumInstances"] == CT_STUDY.slices + len(EXTRAS) - 1
    path = (CT_STUDY.patient_id, CT.study_uid, SCREEN)
    series = seen.id(orthanc_id(*path))
    instance = seen.id(orthanc_id(*path, CT_STUDY.uid("image/screen")))
    assert seen.ask(f"series/{series}").status == 404
    assert seen.ask(f"instances/{instance}/file").status == 404


# --- OHIF, data source dicom-json


def test_ohif_reads_a_study_as_one_document(seen: Seen) -> None:
    document = seen.json(f"studies/{seen.id(CT.study)}/ohif-dicom-json")
    (study,) = document["studies"]
    assert study["StudyInstanceUID"] == seen.uid(CT.study_uid)
    assert study["PatientName"] == "Anonymous"
    assert study["NumInstances"] == CT_STUDY.slices + len(EXTRAS)
    series = study["series"][0]
    assert series["SeriesInstanceUID"] == seen.uid(CT.series_uid)
    assert series["Modality"] == "CT"
    first = series["instances"][0]
    metadata = first["metadata"]
    assert metadata["SOPInstanceUID"] == seen.uid(CT.instance_uid)
    assert metadata["Rows"] == 256
    assert metadata["PixelSpacing"] == [0.9, 0.9]
    assert metadata["DeidentificationMethodCodeSequence"][0]["CodeValue"] == "113100"
    assert "PixelData" not in metadata
    assert_hidden(document)
    # OHIF lays study and series over each instance: nothing there may be another's.
    overlaid = {**metadata, **series, **study}
    for name in ("SOPInstanceUID", "SOPClassUID", "SeriesDescription", "Modality"):
        assert overlaid[name] == metadata[name]


def test_ohif_gets_each_image_from_the_address_in_the_document(seen: Seen) -> None:
    document = seen.json(f"studies/{seen.id(CT.study)}/ohif-dicom-json")
    for series in document["studies"][0]["series"]:
        instance = series["instances"][0]
        scheme, _, address = instance["url"].partition(":")
        assert scheme == "dicomweb"
        assert address.startswith(ROOT)
        file = read(seen.ask(address.removeprefix(ROOT)).body)
        metadata = instance["metadata"]
        assert file.SOPInstanceUID == metadata["SOPInstanceUID"]
        assert file.SeriesInstanceUID == series["SeriesInstanceUID"]
        assert file.SOPClassUID == metadata["SOPClassUID"]


# --- Osimis


def klv(data: bytes) -> dict[int, bytes]:
    """Read the viewer's container as its `klvreader.class.js` does."""
    found, at = {}, 0
    while at < len(data):
        key, length = struct.unpack_from(">II", data, at)
        found[key] = data[at + 8 : at + 8 + length]
        at += 8 + length
    return found


def picture(seen: Seen, instance: str, frame: int = 0) -> Image.Image:
    """Return what the viewer shows of a frame."""
    reply = seen.ask(f"osimis-viewer/images/{instance}/{frame}/high-quality")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/octet-stream"
    content = klv(reply.body)
    drawn = Image.open(io.BytesIO(content[6]))
    assert drawn.size == (int.from_bytes(content[1]), int.from_bytes(content[0]))
    assert content[5] == b"\0"  # not stretched
    return drawn


def test_osimis_opens_a_study(seen: Seen) -> None:
    study = seen.json(f"osimis-viewer/studies/{seen.id(CT.study)}")
    assert study == seen.json(f"studies/{seen.id(CT.study)}")
    assert seen.json(f"osimis-viewer/studies/{study['ID']}/annotations") == {}
    related = seen.json(f"patients/{study['ParentPatient']}")["Studies"]
    assert related == [study["ID"]]
    for series_id in study["Series"]:
        series = seen.json(f"osimis-viewer/series/{series_id}")
        assert series["contentType"] == "image"
        assert series["availableQualities"] == ["lossless"]
        assert series["study"] == study
        assert_hidden(series)
        for instance, _, frames in series["instances"]:
            told = series["instancesInfos"][instance]
            assert told["SeriesId"] == series_id
            assert int(told["TagsSubset"]["Rows"]) > 0
            for frame in range(frames):
                picture(seen, instance, frame)
        middle = series["instances"][len(series["instances"]) // 2][0]
        assert series["middleInstanceInfos"] == series["instancesInfos"][middle]


def test_osimis_shows_the_pixels_as_they_are(seen: Seen) -> None:
    original = next(iter(CT_STUDY.datasets()))
    shown = np.asarray(picture(seen, seen.id(CT.instance)))
    assert (shown == original.pixel_array).all()


def test_osimis_shows_frames_with_negative_values(seen: Seen) -> None:
    instance = instance_of(seen, CT_STUDY.uid("series/frames"))
    for number, frame in enumerate(FRAMES):
        shown = np.asarray(picture(seen, instance, number)).astype("<u2")
        assert (shown.view("<i2") == frame).all()
    path = f"osimis-viewer/images/{instance}/2/high-quality"
    assert seen.ask(path).status == 404


def test_osimis_shows_masked_pixels_without_the_text(seen: Seen) -> None:
    instance = instance_of(seen, CT_STUDY.uid("series/text"))
    shown = np.asarray(picture(seen, instance))
    assert not shown[:16].any()
    assert (shown[16:] == 100).all()


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("grey", GREYS),
        ("colour", COLOURS),
        ("palette", np.stack([255 - GREYS] * 3, axis=-1)),
    ],
)
def test_osimis_shows_small_and_coloured_pixels(
    seen: Seen, part: str, expected: np.ndarray[Any, Any]
) -> None:
    instance = instance_of(seen, CT_STUDY.uid(f"series/{part}"))
    assert (np.asarray(picture(seen, instance)) == expected).all()


def test_osimis_shows_masked_palettes(seen: Seen) -> None:
    instance = instance_of(seen, CT_STUDY.uid("series/text-palette"))
    shown = np.asarray(picture(seen, instance))
    assert (shown[:16] == shown[0, 0]).all()
    assert (shown[16:] == np.stack([255 - GREYS[16:]] * 3, axis=-1)).all()


@pytest.mark.parametrize("quality", ["low", "medium", "pixeldata"])
def test_osimis_gets_the_lossless_picture_whatever_it_asks_for(
    seen: Seen, quality: str
) -> None:
    path = f"osimis-viewer/images/{seen.id(CT.instance)}/0/"
    best = seen.ask(f"{path}high-quality")
    other = seen.ask(f"{path}{quality}-quality")
    assert (other.status, other.body) == (200, best.body)


def test_osimis_shows_the_placeholder_of_what_is_blocked(seen: Seen) -> None:
    instance = instance_of(seen, SCREEN)
    file = read(seen.ask(f"instances/{instance}/file").body)
    shown = np.asarray(picture(seen, instance))
    assert (shown == file.pixel_array).all()


@pytest.mark.parametrize(
    "path",
    [
        "osimis-viewer/images/{instance}/0/highest-quality",
        "osimis-viewer/images/{instance}/-1/high-quality",
        "osimis-viewer/images/{instance}/00/high-quality",
        "osimis-viewer/app/index.html",
        "osimis-viewer/app/../../studies/{study}",
        "osimis-viewer/config.js",
        "instances/{instance}/pdf",
        "instances/{instance}/frames/0/raw",
        "instances/{instance}/tags",
        "instances/{instance}/metadata",
        "instances/{instance}/attachments/dicom/info",
        "studies/{study}/metadata",
        "studies/{study}/patient",
        "studies",
        "changes",
    ],
)
def test_all_else_does_not_exist(seen: Seen, path: str) -> None:
    path = path.format(instance=seen.id(CT.instance), study=seen.id(CT.study))
    assert seen.ask(path).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "osimis-viewer/studies/{id}/annotations",
        "osimis-viewer/custom-command/{id}",
        "tools/create-dicom",
        "instances",
        "studies/{id}",
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_nothing_is_written(seen: Seen, method: str, path: str) -> None:
    url = seen.url + path.format(id=seen.id(CT.study))
    reply = call(method, url, {}, headers={"token": seen.token})
    assert reply.status == 404


# --- VolView


def test_volview_reads_the_share_by_dicomweb(seen: Seen) -> None:
    uid = seen.uid(CT.study_uid)
    bearer = {"Authorization": f"Bearer {seen.token}"}
    for path in ("dicom-web/studies", f"dicom-web/studies/{uid}/series"):
        assert seen.ask(path, **bearer).status == 200
    series = f"dicom-web/studies/{uid}/series/{seen.uid(CT.series_uid)}"
    assert len(seen.json(f"{series}/metadata")) == CT_STUDY.slices
    accept = 'multipart/related; type="application/dicom"'
    reply = seen.ask(series, Accept=accept)
    assert reply.status == 200
    assert reply.body.count(b"Content-Type: application/dicom") == CT_STUDY.slices
    thumbnail = f"{series}/instances/{seen.uid(CT.instance_uid)}/rendered"
    reply = seen.ask(thumbnail, Accept="image/jpeg")
    assert reply.headers["content-type"] == "image/jpeg"
    assert reply.body.startswith(b"\xff\xd8")
