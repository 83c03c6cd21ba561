"""The forms in which a body can hold something: packed, encoded, in pieces."""

import base64
import binascii
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

DEPTH_MAX = 6
"""Packages within packages that are opened."""

UNPACKED_MAX = 256 * 2**20
"""Bytes that one package may grow to; the rest of it is not looked at."""

_DICM = b"DICM"
_DICM_AT = 128
_META_AT = _DICM_AT + len(_DICM)
_META_LENGTH_END = _META_AT + 12
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{10,}")
_HEX = re.compile(rb"[0-9A-Fa-f](?:[-: ]?[0-9A-Fa-f]){11,}")
_JSON_ESCAPE = re.compile(rb"\\u([0-9A-Fa-f]{4})")
_HTML_ESCAPE = re.compile(rb"&#(x[0-9A-Fa-f]{1,6}|[0-9]{1,7});")
_BOUNDARY = re.compile(rb"\A(?:\r\n)?--([^\r\n]{1,72})\r\n")
_PDF_STREAM = re.compile(rb"stream\r?\n")
_ZLIB_START = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_PSEUDONYM = re.compile(rb"2\.25\.[0-9]+")
_ESCAPE_SEQUENCE = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")


class View(NamedTuple):
    """Bytes to look into.

    Args:
        where: How they were got from the body, such as `zip:IM000001.dcm`.
        data: The bytes.
    """

    where: str
    data: bytes


def views(data: bytes, where: str = "body", depth: int = DEPTH_MAX) -> Iterator[View]:
    """Give `data` and everything that can be unpacked or decoded from it."""
    yield View(where, data)
    for name, rewritten in _rewritten(data):
        yield View(f"{where} {name}", rewritten)
    if depth == 0:
        return
    for opener in _OPENERS:
        for name, inner in opener(data):
            yield from views(inner, f"{where} {name}", depth - 1)


def _rewritten(data: bytes) -> Iterator[View]:
    """Give the same text in another spelling."""
    if b"\0" in data:
        yield View("without zeros", data.replace(b"\0", b""))  # UTF-16, UTF-32
    if b"\x1b" in data:
        yield View("without escapes", _ESCAPE_SEQUENCE.sub(b"", data))  # ISO 2022
    if b"%" in data:
        yield View("percent", unquote_to_bytes(data))
    if b"\\u" in data:
        yield View("JSON escapes", _JSON_ESCAPE.sub(_character, data))
    if b"&#" in data:
        yield View("HTML escapes", _HTML_ESCAPE.sub(_character, data))


def _character(found: re.Match[bytes]) -> bytes:
    digits = found[1].decode()
    if found.re is _JSON_ESCAPE:
        number = int(digits, 16)
    else:
        number = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    return chr(min(number, 0x10FFFF)).encode("utf-8", "ignore")


def _parts(data: bytes) -> Iterator[View]:
    """Give the parts of a multipart body (RFC 2046 5.1)."""
    start = _BOUNDARY.match(data)
    if start is None:
        return
    for number, part in enumerate(data.split(b"--" + start[1])[1:-1]):
        _header, _, content = part.partition(b"\r\n\r\n")
        yield View(f"part {number}", content.removesuffix(b"\r\n"))


def _zip(data: bytes) -> Iterator[View]:
    if not data.startswith(b"PK"):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield View("zip comment", archive.comment)
            for member in archive.infolist():
                yield View("zip name", member.filename.encode() + member.comment)
                with archive.open(member) as file:
                    yield View("zip member", file.read(UNPACKED_MAX))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error):
        return


def _gzip(data: bytes) -> Iterator[View]:
    if data.startswith(b"\x1f\x8b"):
        yield View("gzip", _inflated(data, 16 + zlib.MAX_WBITS))


def _deflated_dicom(data: bytes) -> Iterator[View]:
    """Give the data set of a file in the deflated transfer syntax (PS3.5 A.5)."""
    if data[_DICM_AT:_META_AT] != _DICM or _DEFLATED not in data[:2048]:
        return
    length = int.from_bytes(data[_META_LENGTH_END - 4 : _META_LENGTH_END], "little")
    yield View("deflated", _inflated(data[_META_LENGTH_END + length :], -15))


def _swapped(data: bytes) -> Iterator[View]:
    """Give the bytes of a file in pairs the other way round, as OW in big endian."""
    if data[_DICM_AT:_META_AT] != _DICM:
        return
    # The digits of a pseudonym would no longer be known as such.
    data = _PSEUDONYM.sub(lambda found: b"x" * len(found[0]), data)
    for shift in (0, 1):
        pairs = bytearray(data[shift : len(data) - (len(data) - shift) % 2])
        pairs[::2], pairs[1::2] = pairs[1::2], pairs[::2]
        yield View("byte pairs", bytes(pairs))


def _compressed(data: bytes) -> Iterator[View]:
    """Give what is compressed within a PDF or a PNG, also within a DICOM file."""
    if b"%PDF" in data:
        for start in _PDF_STREAM.finditer(data):
            yield View("PDF stream", _inflated(data[start.end() :], zlib.MAX_WBITS))
    for kind in (b"zTXt", b"iTXt", b"iCCP"):
        at = data.find(kind)
        while data[:4] == b"\x89PNG" and at >= 0:
            packed = _ZLIB_START.search(data, at)
            if packed is not None:
                yield View("PNG text", _inflated(data[packed.start() :], 15))
            at = data.find(kind, at + 1)


def _inflated(data: bytes, window: int) -> bytes:
    """Return as much as can be inflated."""
    try:
        return zlib.decompressobj(window).decompress(data, UNPACKED_MAX)
    except zlib.error:
        return b""


def _encoded(data: bytes) -> Iterator[View]:
    """Give what runs of base64 and of hexadecimal digits stand for."""
    pieces = [_hex(run[0]) for run in _HEX.finditer(data)]
    for run in _BASE64.finditer(data):
        pieces += _base64(run[0])
    if pieces:
        yield View("encoded", b"\n".join(pieces))


def _hex(run: bytes) -> bytes:
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", run)
    even = len(digits) // 2 * 2
    shifted = digits[1 : 1 + (len(digits) - 1) // 2 * 2]
    return binascii.unhexlify(digits[:even]) + b"\n" + binascii.unhexlify(shifted)


def _base64(run: bytes) -> Iterator[bytes]:
    """Give a run decoded from each of its four possible starts."""
    standard = run.replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):
        piece = standard[start:]
        whole = piece[: len(piece) // 4 * 4]
        rest = piece[len(whole) :]
        padded = whole + (rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b"")
        yield base64.b64decode(padded)


def _json(data: bytes) -> Iterator[View]:
    """Give all texts of a JSON document, as one text."""
    if data[:1] not in {b"[", b"{"}:
        return
    try:
        texts = list(_texts(json.loads(data)))
    except (ValueError, RecursionError):
        return
    yield View("JSON texts", "\n".join(texts).encode("utf-8", "surrogatepass"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


_OPENERS: tuple[Callable[[bytes], Iterator[View]], ...] = (
    _parts,
    _zip,
    _gzip,
    _deflated_dicom,
    _swapped,
    _compressed,
    _encoded,
    _json,
)
