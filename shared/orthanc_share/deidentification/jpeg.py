"""JPEG and JPEG-LS: comments and application data are blanked.

Source: ITU-T T.81 annex B, T.87 annex C.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from typing_extensions import override

from orthanc_share.deidentification.codestream import (
    NEED_MORE,
    SegmentWalker,
    keep_first,
)
from orthanc_share.deidentification.wire import malformed

_FILL: Final = 0xFF
_END: Final = 0xD9
_SCAN: Final = 0xDA
_SOF_LS: Final = 0xF7
_COMMENT: Final = 0xFE
_APPLICATIONS: Final = range(0xE0, 0xF0)

_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker that ends entropy-coded data: not a stuffed byte, a restart or a fill."""

_AFTER_SCAN_LS: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""The same for JPEG-LS, which stuffs a bit."""

_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {_SOF_LS}


def _application(marker: int, payload: bytes) -> bytes:
    """Return application data with only that what decoders look at."""
    if marker == 0xE0 and payload.startswith(b"JFIF\0"):  # noqa: PLR2004
        # Version, units and densities stay; the size of the thumbnail does not.
        return keep_first(payload, 12)
    if marker == 0xE8 and payload.startswith(b"mrfx"):  # noqa: PLR2004
        return keep_first(payload, 5)  # colour transform of JPEG-LS
    if marker == 0xEE and payload.startswith(b"Adobe"):  # noqa: PLR2004
        return keep_first(payload, 12)
    return bytes(len(payload))


def _quantization(payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        at += 129 if payload[at] >> 4 else 65
    return at == len(payload)


def _huffman(payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload)


def _frame(payload: bytes) -> bool:
    return len(payload) >= 6 and len(payload) == 6 + 3 * payload[5]  # noqa: PLR2004


def _scan(payload: bytes) -> bool:
    return bool(payload) and len(payload) == 4 + 2 * payload[0]


def _preset(payload: bytes) -> bool:
    """Tell whether an LSE segment is one of T.87 C.2.4: thresholds, tables, sizes."""
    if payload[:1] == b"\1":
        return len(payload) == 11  # noqa: PLR2004
    return payload[:1] in (b"\2", b"\3", b"\4")


_RULES: Final[Mapping[int, Callable[[bytes], bool]]] = {
    0xC4: _huffman,
    0xCC: lambda payload: len(payload) % 2 == 0,  # arithmetic conditioning
    0xDB: _quantization,
    0xDC: lambda payload: len(payload) == 2,  # noqa: PLR2004  # number of lines
    0xDD: lambda payload: len(payload) in (2, 3, 4),  # restart interval
    0xF8: _preset,
    _SCAN: _scan,
    **dict.fromkeys(_FRAMES, _frame),
}
"""Marker to what its segment must look like: exactly as long as what it says."""


class JpegWalker(SegmentWalker):
    """Walks over JPEG images; see `CodestreamWalker`."""

    _START = b"\xff\xd8"

    @override
    def _begin(self) -> None:
        self._in_scan = False
        self._framed = False
        self._scanned = False
        self._after_scan = _AFTER_SCAN

    @override
    def _walk(self, data: bytes, at: int) -> int:
        return self._entropy(data, at) if self._in_scan else self._header(data, at)

    def _entropy(self, data: bytes, at: int) -> int:
        found = self._after_scan.search(data, at)
        if found is not None:
            self._in_scan = False
            end = found.start()
            return self._header(data, at) if end == at else self._pass(data, at, end)
        end = len(data)
        if data[-1] == _FILL:  # the next byte tells whether it is a marker
            end -= 1
        if end == at:
            self._needed = 2
            return at
        return self._pass(data, at, end)

    def _header(self, data: bytes, at: int) -> int:
        marker = self._marker(data, at)
        if marker == NEED_MORE:
            return at
        if marker == _FILL:
            return self._pass(data, at, at + 1)
        if marker == _END:
            if not self._scanned:
                raise malformed("a JPEG image without pixels")
            self._end()
            return self._pass(data, at, at + 2)
        payload = self._segment(data, at)
        if payload is None:
            return at
        return self._replace(data, at, self._judged(marker, payload))

    def _judged(self, marker: int, payload: bytes) -> bytes:
        if marker == _COMMENT:
            return bytes(len(payload))
        if marker in _APPLICATIONS:
            return _application(marker, payload)
        rule = _RULES.get(marker)
        if rule is None or not rule(payload):
            raise malformed("a segment of a JPEG image that cannot be")
        if marker in _FRAMES:
            self._frame_found(marker)
        if marker == _SCAN:
            self._scan_found()
        return payload

    def _frame_found(self, marker: int) -> None:
        if self._framed:
            raise malformed("a JPEG image with two frames")
        self._framed = True
        if marker == _SOF_LS:
            self._after_scan = _AFTER_SCAN_LS

    def _scan_found(self) -> None:
        if not self._framed:
            raise malformed("a JPEG image without a frame header")
        self._in_scan = self._scanned = True
