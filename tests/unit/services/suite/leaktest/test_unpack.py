"""Whatever is packed into a body is looked into."""

import base64
import gzip
import io
import zipfile
import zlib

import pytest

from suite.leaktest.unpack import views

SECRET = b"QZSECRET"


def zipped(name: str = "a", content: bytes = b"", comment: bytes = b"") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        archive.comment = comment
    return stream.getvalue()


def deflated_dicom(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(content) + packer.flush()
    syntax = b"\x02\x00\x10\x00UI\x16\x001.2.840.10008.1.2.1.99"
    length = b"\x02\x00\x00\x00UL\x04\x00" + len(syntax).to_bytes(4, "little")
    return b"\0" * 128 + b"DICM" + length + syntax + packed


def png(kind: bytes, content: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + kind + b"key\0\0" + content


def swapped(content: bytes) -> bytes:
    return b"".join(content[n : n + 2][::-1] for n in range(0, len(content), 2))


FORMS = {
    "as it is": b"-" + SECRET,
    "UTF-16": SECRET.decode().encode("utf-16-le"),
    "ISO 2022": b"QZ\x1b(BSECRET",
    "percent": b"%51ZSECRET",
    "JSON escapes": b'x"\\u0051ZSECRET"',
    "HTML": b"&#81;&#x5a;SECRET",
    "JSON": b'[{"a": ["\\u0051Z\\u0053ECRET", 1]}]',
    "JSON name": b'{"\\u0051ZSECRET": null}',
    "base64": b"x:" + base64.b64encode(b"a" + SECRET) + b";",
    "base64url in the middle": b"AB" + base64.urlsafe_b64encode(b"ab" + SECRET),
    "hexadecimal": SECRET.hex().encode(),
    "hexadecimal with dashes": b"0" + SECRET.hex("-").encode(),
    "multipart": b"--b\r\nA: b\r\n\r\n" + gzip.compress(SECRET) + b"\r\n--b--",
    "ZIP": zipped(content=SECRET),
    "ZIP name": zipped("QZSECRET.dcm"),
    "ZIP comment": zipped(comment=SECRET),
    "ZIP in gzip": gzip.compress(zipped(content=SECRET)),
    "deflated DICOM": deflated_dicom(SECRET),
    "byte pairs": b"\0" * 128 + b"DICM" + swapped(SECRET),
    "byte pairs, odd": b"\0" * 128 + b"DICM!" + swapped(SECRET),
    "PDF": b"%PDF-1.4 stream\r\n" + zlib.compress(SECRET) + b"endstream",
    "PNG": png(b"zTXt", zlib.compress(SECRET)),
}


def all_views(data: bytes) -> bytes:
    return b"\n".join(view.data for view in views(data))


@pytest.mark.parametrize("form", FORMS)
def test_a_value_is_seen_in_each_form(form: str) -> None:
    assert SECRET in all_views(FORMS[form])


BROKEN = {
    "ZIP": b"PK\3\4 and no more",
    "gzip": b"\x1f\x8b and no more",
    "deflated DICOM": deflated_dicom(b"")[:-2] + b"\xff\xff\xff",
    "PDF": b"%PDF stream\nnothing packed",
    "PNG": png(b"zTXt", b"nothing packed"),
    "JSON": b"[1, 2",
    "multipart": b"--b\r\nno end",
    "HTML": b"&#9999999;&#xD800;",
}


@pytest.mark.parametrize("form", BROKEN)
def test_what_cannot_be_unpacked_is_seen_as_it_is(form: str) -> None:
    assert BROKEN[form] in all_views(BROKEN[form])


def test_packages_are_opened_to_a_limit() -> None:
    data = SECRET
    for _ in range(20):
        data = gzip.compress(data)
    assert SECRET not in all_views(data)


def test_made_up_uids_are_not_read_the_other_way_round() -> None:
    start = b"\0" * 128 + b"DICM"
    assert b"18501231" in all_views(start + b"8105211399")
    assert b"18501231" not in all_views(start + b"2.25.108105211399")
