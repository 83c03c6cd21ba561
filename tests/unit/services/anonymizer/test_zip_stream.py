"""ZIP archives that are written while they are sent."""

import gc
import io
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from anonymizer import zip_stream
from anonymizer.zip_stream import (
    ZIP64_FROM,
    MemberTooLargeError,
    ZipStream,
    member_name,
)
from tests.support.real import require

NAMES = [member_name(1, 1), member_name(1, 2), member_name(2, 1)]


def archive(members: dict[str, list[bytes]], size: int | None = 1) -> bytes:
    """Return a whole archive, made piece by piece."""
    with ZipStream() as stream:
        pieces = []
        for name, chunks in members.items():
            pieces.append(stream.begin(name, size))
            pieces += [stream.write(chunk) for chunk in chunks]
            pieces.append(stream.end())
        return b"".join([*pieces, stream.finish()])


@given(
    chunks=st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=3),
    size=st.sampled_from([None, 1, ZIP64_FROM]),
)
@settings(max_examples=60)
def test_what_was_put_in_comes_out(chunks: list[list[bytes]], size: int | None) -> None:
    members = dict(zip(NAMES, chunks, strict=False))
    with zipfile.ZipFile(io.BytesIO(archive(members, size))) as read:
        assert read.testzip() is None
        assert read.namelist() == list(members)
        for name, pieces in members.items():
            assert read.read(name) == b"".join(pieces)


def test_every_byte_goes_out_at_once_and_uncompressed() -> None:
    with ZipStream() as stream:
        head = stream.begin(NAMES[0], 10)
        assert head.startswith(b"PK\x03\x04")
        assert head.endswith(NAMES[0].encode())
        assert stream.write(b"pixels") == b"pixels"
        assert stream.end().startswith(b"PK\x07\x08")
        assert b"PK\x01\x02" in stream.finish()


def test_neither_date_nor_name_says_anything() -> None:
    data = archive({NAMES[0]: [b"x"]})
    (entry,) = zipfile.ZipFile(io.BytesIO(data)).infolist()
    assert entry.date_time == (1980, 1, 1, 0, 0, 0)
    assert entry.filename == "SE000001/IM000001.dcm"
    assert (entry.comment, entry.compress_type) == (b"", zipfile.ZIP_STORED)


@pytest.mark.parametrize("size", [None, ZIP64_FROM])
def test_a_member_that_may_be_large_has_sizes_of_64_bits(size: int | None) -> None:
    with ZipStream() as stream:
        stream.begin(NAMES[0], size)
        stream.write(b"1234")
        # Signature, check sum, two sizes (APPNOTE 4.3.9).
        assert len(stream.end()) == 4 + 4 + 8 + 8
        stream.begin(NAMES[1], 4)
        stream.write(b"1234")
        assert len(stream.end()) == 4 + 4 + 4 + 4


def test_a_member_that_grows_beyond_its_size_ends_the_archive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    with ZipStream() as stream:
        stream.begin(NAMES[0], 100)
        stream.write(bytes(2000))
        with pytest.raises(MemberTooLargeError):
            stream.end()


def test_an_archive_beyond_the_old_limits_is_zip64(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(zip_stream, "ZIP64_FROM", 500)
    data = archive({name: [bytes(900)] for name in NAMES}, None)
    assert b"PK\x06\x06" in data
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None


def test_members_are_written_one_after_the_other() -> None:
    with ZipStream() as stream:
        with pytest.raises(RuntimeError, match="begun"):
            stream.write(b"")
        with pytest.raises(RuntimeError, match="begun"):
            stream.end()
        stream.begin(NAMES[0])
        with pytest.raises(ValueError, match="writing"):
            stream.finish()


def test_an_archive_that_is_given_up_leaves_nothing_behind() -> None:
    with ZipStream() as stream:
        stream.begin(NAMES[0], 10)
        stream.write(b"half")
    assert gc.collect() >= 0  # a complaint would be an error here


@pytest.mark.parametrize("size", [None, 1])
def test_unzip_reads_it(size: int | None, tmp_path: Path) -> None:
    file = tmp_path / "archive.zip"
    file.write_bytes(archive({name: [name.encode()] for name in NAMES}, size))
    test = [str(require("unzip")), "-t", str(file)]
    done = subprocess.run(test, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
