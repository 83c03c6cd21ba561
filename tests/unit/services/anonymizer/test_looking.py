"""A site whose images are looked at: text in pixels goes out on no route."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import EncapsulatedPDFStorage

from anonymizer import images, looking as looking_at
from orthanc_share.deidentification import text_in_pixels
from orthanc_share.deidentification.gate import Reason
from orthanc_share.domain.resource import Level
from tests.support.anonymized import (
    ANY_FILE,
    ANY_FRAME,
    Names,
    Running,
    Source,
    files_in,
    parts_of,
    profile_file,
    real_path,
    running,
)
from tests.support.letters import draw
from tests.support.orthanc_double import Reply, multipart
from tests.support.real import require

MASK = """
[[masks]]
manufacturer = "orthanc-share demo"
model = "phantom"
rows = 256
columns = 256
regions = [[0, 0, 256, {height}]]
"""
OCTETS = "application/octet-stream"


def running_with(profile: str, factory: pytest.TempPathFactory) -> Iterator[Running]:
    require("tesseract")
    path = profile_file(factory.mktemp("looking"), f"ocr = true\n{profile}")
    with running(deidentification_profile=path) as started:
        yield started


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run an anonymizer that looks at images."""
    yield from running_with("", tmp_path_factory)


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run one that leaves out what is not shown."""
    yield from running_with('blocked = "hide"', tmp_path_factory)


def with_text(images: int = 1) -> Source:
    """Return a study with text in the pixels of its first image."""
    source = Source.sample(images)
    draw(source.datasets[0])
    return source


def is_stand_in(dataset: Dataset) -> bool:
    return "Image not shown" in dataset.get("DerivationDescription", "")


def orthanc_name(names: Names, level: Level) -> str:
    """Return the pseudonym of the study or the first image."""
    return names.pseudonyms.orthanc_id(names.source.resource(level).orthanc_id or "")


def reasons(running: Running, names: Names) -> list[str]:
    """Return what the metadata say of the images that are not shown."""
    told = running.get(f"{names.study_path}/metadata").json()
    return [
        one["00082111"]["Value"][0]
        for one in told
        if "Image not shown" in one.get("00082111", {}).get("Value", [""])[0]
    ]


def seen_on(running: Running, names: Names, route: str) -> bytes:
    """Return what a route gives of the first image."""
    web, name = names.instance_path(), orthanc_name(names, Level.INSTANCE)
    wado = f"/wado?requestType=WADO&objectUID={names.instance_uid()}"
    paths = {
        "file": (web, "application/dicom"),
        "files of the series": (names.series_path(), ANY_FILE),
        "files of the study": (names.study_path, ANY_FILE),
        "frame": (f"{web}/frames/1", ANY_FRAME),
        "rendered": (f"{web}/rendered", "image/png"),
        "rendered frame": (f"{web}/frames/1/rendered", "image/png"),
        "thumbnail": (f"{web}/thumbnail", "image/png"),
        "thumbnail of the study": (f"{names.study_path}/thumbnail", "image/png"),
        "bulk": (f"{web}/bulk/7FE00010", OCTETS),
        "WADO-URI": (f"{wado}&contentType=application/dicom", None),
        "picture by WADO-URI": (wado, None),
        "Orthanc's file": (f"/instances/{name}/file", None),
        "ZIP": (f"/studies/{orthanc_name(names, Level.STUDY)}/archive", None),
        "Osimis": (f"/osimis-viewer/images/{name}/0/high-quality", None),
    }
    return running.get(*paths[route]).content


ROUTES = (
    *("file", "files of the series", "files of the study", "frame", "rendered"),
    *("rendered frame", "thumbnail", "thumbnail of the study", "bulk", "WADO-URI"),
    *("picture by WADO-URI", "Orthanc's file", "ZIP", "Osimis"),
)


@pytest.mark.parametrize("route", ROUTES)
def test_text_goes_out_on_no_route(route: str, looking: Running) -> None:
    """Whichever route is asked first; and from then on the metadata say so."""
    source = with_text()
    name = source.resource(Level.INSTANCE).orthanc_id
    file = source.answers()[real_path(source.datasets[0])]
    assert isinstance(file, Reply)
    whole = io.BytesIO()
    source.datasets[0].save_as(whole, enforce_file_format=True)
    names = looking.share(
        source, changes={f"instances/{name}/file": Reply(whole.getvalue(), "a/b")}
    )
    shown = seen_on(looking, names, route)
    pixels = source.datasets[0].PixelData
    assert pixels not in shown
    assert pixels[: len(pixels) // 8] not in shown
    assert reasons(looking, names) == ["Image not shown. There is text in this image."]
    if route == "ZIP":
        with zipfile.ZipFile(io.BytesIO(shown)) as archive:
            (member,) = archive.namelist()
            assert is_stand_in(dcmread(io.BytesIO(archive.read(member))))


def test_a_clean_image_goes_out_on_all_routes_and_is_looked_at_once(
    looking: Running,
) -> None:
    source = Source.sample(2)
    names = looking.share(source)
    originals = [dataset.PixelData for dataset in source.datasets]
    files = files_in(looking.get(names.series_path(), ANY_FILE))
    assert sorted(one.PixelData for one in files) == sorted(originals)
    looked = looking.orthanc.paths().count(f"{real_path(source.datasets[0])}/frames/1")
    assert looked == 1
    ((_, frame),) = parts_of(
        looking.get(f"{names.instance_path()}/frames/1", ANY_FRAME)
    )
    assert frame == originals[0]
    bulk = looking.get(f"{names.instance_path()}/bulk/7FE00010", OCTETS)
    assert bulk.content == originals[0]
    # One look, and one answer for each of the two routes.
    asked = looking.orthanc.paths().count(f"{real_path(source.datasets[0])}/frames/1")
    assert asked == looked + 2
    assert reasons(looking, names) == []


def test_only_the_image_with_text_is_replaced(looking: Running) -> None:
    names = looking.share(with_text(3))
    files = files_in(looking.get(names.study_path, ANY_FILE))
    assert sorted(map(is_stand_in, files)) == [False, False, True]
    # That is not forgotten when the metadata are read again.
    assert len(reasons(looking, names)) == 1
    assert len(reasons(looking, names)) == 1


def test_what_was_found_is_remembered_for_so_many_images(
    looking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is forgotten is looked at again, before anything of it goes out."""
    source = Source.sample(2)
    for dataset in source.datasets:
        draw(dataset)
    names = looking.share(source)
    monkeypatch.setattr(images, "KNOWN_MAX", 1)
    for number in (0, 1, 0):
        path = f"{names.instance_path(number)}/bulk/7FE00010"
        shown = looking.get(path, OCTETS).content
        assert shown != source.datasets[number].PixelData
    assert len(reasons(looking, names)) == 1


def test_an_object_without_pixels_needs_no_look(looking: Running) -> None:
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    for keyword in ("PixelData", "Rows", "Columns"):
        del dataset[keyword]
    names = looking.share(source)
    (file,) = files_in(looking.get(names.instance_path(), ANY_FILE))
    assert not is_stand_in(file)


def test_what_is_blocked_anyway_needs_no_look(looking: Running) -> None:
    source = Source.sample(1)
    source.datasets[0].SOPClassUID = EncapsulatedPDFStorage
    names = looking.share(source)
    (file,) = files_in(looking.get(names.instance_path(), ANY_FILE))
    assert is_stand_in(file)
    assert not any("/frames/" in path for path in looking.orthanc.paths())


FRAME = f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.1"
JPEG = "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(b"", status=400),
        multipart([b"\xff\xd8\xff\xd9"], OCTETS, part_kind=JPEG),
        multipart([b"too short"], OCTETS, part_kind=FRAME),
        multipart([b"one", b"two"], OCTETS, part_kind=FRAME),
    ],
)
def test_what_cannot_be_looked_at_is_not_shown(answer: Reply, looking: Running) -> None:
    source = Source.sample(1)
    path = f"{real_path(source.datasets[0])}/frames/1"
    names = looking.share(source, changes={path: answer})
    (file,) = files_in(looking.get(names.instance_path(), ANY_FILE))
    assert is_stand_in(file)
    (reason,) = reasons(looking, names)
    assert reason.endswith("Nobody could look whether there is text in this image.")


def test_what_is_too_big_is_not_shown(
    looking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_at, "FRAME_MAX", 1000)
    names = looking.share(Source.sample(1))
    (file,) = files_in(looking.get(names.instance_path(), ANY_FILE))
    assert is_stand_in(file)


def with_palette() -> Source:
    source = Source.sample(1)
    (dataset,) = source.datasets
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [4096, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(8192))
    return source


def test_colours_of_a_palette_are_not_shown(looking: Running) -> None:
    names = looking.share(with_palette())
    looking.get(f"{names.instance_path()}/frames/1", ANY_FRAME)
    assert len(reasons(looking, names)) == 1


@pytest.mark.parametrize("reason", [Reason.TEXT_IN_PIXELS, Reason.NOT_LOOKED_AT])
def test_without_one_of_its_rules_the_pixels_come_out(
    reason: Reason, looking: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutation control: what the other tests look for would be found."""
    usual = looking_at._look

    async def look(*about: Any) -> Reason | None:
        seen = await usual(*about)
        assert seen is reason
        return None

    source = with_text() if reason is Reason.TEXT_IN_PIXELS else with_palette()
    pixels = source.datasets[0].PixelData
    assert pixels not in seen_on(looking, looking.share(source), "frame")
    monkeypatch.setattr(looking_at, "_look", look)
    assert pixels in seen_on(looking, looking.share(source), "frame")


def test_while_orthanc_does_not_answer_nothing_is_decided(looking: Running) -> None:
    source = Source.sample(1)
    path = f"{real_path(source.datasets[0])}/frames/1"
    names = looking.share(source, changes={path: Reply(b"busy", "text/html")})
    looking.get(names.instance_path(), ANY_FILE, status=502)
    assert reasons(looking, names) == []


def test_what_is_hidden_is_not_there(hiding: Running) -> None:
    names = hiding.share(with_text(2))
    assert len(files_in(hiding.get(names.study_path, ANY_FILE))) == 1
    hiding.get(f"{names.instance_path()}/frames/1", ANY_FRAME, status=404)
    assert len(hiding.get(f"{names.study_path}/metadata").json()) == 1


@pytest.mark.parametrize(("height", "is_seen"), [(40, False), (4, True)])
def test_masked_images_are_looked_at_behind_their_mask(
    height: int, *, is_seen: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for masking in running_with(MASK.format(height=height), tmp_path_factory):
        names = masking.share(with_text())
        (file,) = files_in(masking.get(names.instance_path(), ANY_FILE))
        assert is_stand_in(file) is is_seen
        frame = masking.get(f"{names.instance_path()}/frames/1", ANY_FRAME)
        assert len(frame.content) > 0
        assert bool(reasons(masking, names)) is is_seen


def test_the_program_may_be_gone_one_day(
    looking: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    names = looking.share(Source.sample(1))
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PATH", str(tmp_path_factory.mktemp("empty")))
        assert not text_in_pixels.is_installed()
        (file,) = files_in(looking.get(names.instance_path(), ANY_FILE))
    assert is_stand_in(file)
