"""Transfer syntaxes: as stored, transcoded by Orthanc, or as stored after all."""

import io

import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from tests.support.anonymized import (
    ANY_FILE,
    ANY_FRAME,
    Running,
    Source,
    file_of,
    files_in,
    parts_of,
    real_path,
    real_series_path,
)
from tests.support.orthanc_double import Answer, Reply, multipart

ANY_NATIVE = 'multipart/related; type="application/dicom"'
EXPLICIT = "1.2.840.10008.1.2.1"
OCTETS = "application/octet-stream"


def _jpeg() -> bytes:
    """Return a picture of the size of our images, with a comment."""
    written = io.BytesIO()
    Image.new("L", (256, 256), 99).save(written, "JPEG", comment=b"DEMO^CT")
    return written.getvalue()


JPEG = _jpeg()


def compressed(source: Source, number: int) -> bytes:
    """Return the file of an image, and let the image itself be compressed."""
    dataset = source.datasets[number]
    native = file_of(dataset)
    _compress(dataset)
    return native


def _compress(dataset: Dataset) -> None:
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelData = encapsulate([JPEG])
    dataset["PixelData"].VR = "OB"


def site(source: Source, native: bytes | None) -> dict[str, Answer]:
    """Return what an Orthanc answers that transcodes the first image, or cannot."""
    one = real_path(source.datasets[0])
    transcoded = Reply(status=500) if native is None else multipart([native])
    series = multipart([file_of(dataset) for dataset in source.datasets])
    return {real_series_path(source.datasets[0]): series, one: transcoded}


def syntaxes(answer: list[Dataset]) -> list[str]:
    return [str(file.file_meta.TransferSyntaxUID) for file in answer]


def test_files_come_as_they_are_stored(anonymizer: Running) -> None:
    source = Source.sample(2)
    compressed(source, 0)
    names = anonymizer.share(source)
    for path in (names.series_path(), names.study_path):
        files = files_in(anonymizer.get(path, ANY_FILE))
        assert syntaxes(files) == [JPEGBaseline8Bit, EXPLICIT]
        assert JPEG[:3] in files[0].PixelData


@pytest.mark.parametrize(
    "accept", [ANY_NATIVE, f"{ANY_NATIVE}; transfer-syntax={EXPLICIT}"]
)
def test_only_what_is_compressed_is_transcoded(
    accept: str, anonymizer: Running
) -> None:
    source = Source.sample(2)
    native = compressed(source, 0)
    names = anonymizer.share(source)
    anonymizer.orthanc.answers |= site(source, native)
    files = files_in(anonymizer.get(names.series_path(), accept))
    assert syntaxes(files) == [EXPLICIT, EXPLICIT]
    asked = [one for one in anonymizer.orthanc.asked if "instances/" in one.path]
    assert len(asked) == 1


def test_what_orthanc_cannot_transcode_comes_as_it_is_stored(
    anonymizer: Running,
) -> None:
    source = Source.sample(2)
    compressed(source, 0)
    names = anonymizer.share(source)
    one = real_path(source.datasets[0])
    stored = source.answers()[one]
    answers = iter([Reply(status=500), stored])

    def answer(_body: bytes) -> Reply:
        reply = next(answers)
        assert isinstance(reply, Reply)
        return reply

    anonymizer.orthanc.answers |= site(source, None) | {one: answer}
    files = files_in(anonymizer.get(names.series_path(), ANY_NATIVE))
    assert syntaxes(files) == [JPEGBaseline8Bit, EXPLICIT]


def test_another_file_than_that_which_was_to_be_transcoded_is_an_error(
    anonymizer: Running,
) -> None:
    source = Source.sample(2)
    compressed(source, 0)
    names = anonymizer.share(source)
    other = file_of(source.datasets[1])
    anonymizer.orthanc.answers |= site(source, other)
    anonymizer.get(names.series_path(), ANY_NATIVE, status=502)


def frame_reply(kind: str, frame: bytes = JPEG) -> Reply:
    return multipart([frame], OCTETS, part_kind=kind)


@pytest.mark.parametrize(
    "kind",
    [
        f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}",
        f"application/octet-stream; transfer-syntax={JPEGBaseline8Bit}",
    ],
)
def test_a_compressed_frame_is_cleaned(kind: str, anonymizer: Running) -> None:
    source = Source.sample(1)
    compressed(source, 0)
    path = f"{real_path(source.datasets[0])}/frames/1"
    names = anonymizer.share(source, changes={path: frame_reply(kind)})
    answer = anonymizer.get(f"{names.instance_path()}/frames/1", ANY_FRAME)
    ((told, frame),) = parts_of(answer)
    assert told == f"{OCTETS}; transfer-syntax={JPEGBaseline8Bit}"
    assert (len(frame), frame[-99:]) == (len(JPEG), JPEG[-99:])
    assert b"DEMO" not in frame


def test_frames_that_cannot_be_transcoded_come_as_they_are_stored(
    anonymizer: Running,
) -> None:
    source = Source.sample(1)
    compressed(source, 0)
    path = f"{real_path(source.datasets[0])}/frames/1"
    stored = frame_reply(f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}")
    names = anonymizer.share(source)
    replies = iter([Reply(status=500), stored])
    anonymizer.orthanc.answers[path] = lambda _body: next(replies)
    at = f"{names.instance_path()}/frames/1"
    ((told, _),) = parts_of(anonymizer.get(at))
    assert told == f"{OCTETS}; transfer-syntax={JPEGBaseline8Bit}"
    anonymizer.orthanc.answers[path] = Reply(status=500)
    anonymizer.get(at, ANY_FRAME, status=502)


@pytest.mark.parametrize(
    ("kind", "frame"),
    [
        pytest.param("application/octet-stream", b"DEMO^CT" * 9, id="too short"),
        pytest.param("application/octet-stream", b"D" * 131_080, id="too long"),
        pytest.param("application/octet-stream", b"", id="empty"),
        pytest.param("image/jpeg", JPEG, id="unknown"),
        pytest.param(f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}", b"", id="none"),
        pytest.param(
            "image/jxl; transfer-syntax=1.2.840.10008.1.2.4.110", b"x", id="xl"
        ),
        pytest.param(
            f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.4.110", b"x", id="hidden xl"
        ),
        pytest.param(f"image/dicom-rle; transfer-syntax={RLELossless}", b"x", id="rle"),
        pytest.param("text/plain", b"DEMO^CT", id="text"),
    ],
)
def test_what_is_no_frame_is_not_shown(
    kind: str, frame: bytes, anonymizer: Running
) -> None:
    source = Source.sample(1)
    path = f"{real_path(source.datasets[0])}/frames/1"
    reply = frame_reply(kind, frame)
    names = anonymizer.share(source, changes={path: reply})
    answer = anonymizer.client.get(
        f"{names.instance_path()}/frames/1", headers={"Accept": ANY_FRAME}
    )
    assert answer.status_code == 502
    assert b"DEMO" not in answer.content


def test_frames_of_an_image_without_a_layout_are_cleaned_by_their_bitstream(
    anonymizer: Running,
) -> None:
    source = Source.sample(1)
    compressed(source, 0)
    source.datasets[0].BitsStored = 99
    path = f"{real_path(source.datasets[0])}/frames/1"
    kind = f"image/jpeg; transfer-syntax={JPEGBaseline8Bit}"
    names = anonymizer.share(source, changes={path: frame_reply(kind)})
    at = f"{names.instance_path()}/frames/1"
    assert len(parts_of(anonymizer.get(at, ANY_FRAME))) == 1
    anonymizer.orthanc.answers[path] = frame_reply(OCTETS)
    anonymizer.get(at, ANY_FRAME, status=502)


def test_another_number_of_frames_is_an_error(anonymizer: Running) -> None:
    source = Source.sample(1)
    pixels = bytes(source.datasets[0].PixelData)
    path = f"{real_path(source.datasets[0])}/frames/1"
    names = anonymizer.share(source, changes={path: multipart([], OCTETS)})
    anonymizer.get(f"{names.instance_path()}/frames/1", ANY_FRAME, status=502)
    assert pixels
