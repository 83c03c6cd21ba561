"""JPEG 2000, also with high throughput (HTJ2K): comments are blanked.

Source: ITU-T T.800 annex A, T.801 annex A, T.814 annex A.
"""

from collections.abc import Callable, Mapping
from typing import Final

from typing_extensions import override

from orthanc_share.deidentification.codestream import NEED_MORE, SegmentWalker
from orthanc_share.deidentification.wire import malformed

_TILE_PART: Final = 0x90
_DATA: Final = 0x93
_END: Final = 0xD9
_SIZE: Final = 0x51
_COMMENT: Final = 0x64
_END_MARKER: Final = b"\xff\xd9"  # cannot occur in the data of a tile-part

_SIZE_COMPONENTS: Final = 36  # bytes of SIZ before those of the components

_TILE_PART_HEADER: Final = 12  # bytes of SOT with its marker
_TILE_PART_PAYLOAD: Final = 8
_CODING: Final = 10  # bytes of COD without precincts
_LEVELS_AT: Final = 5
_STEPS_MAX: Final = 97  # 32 levels


def _is_size(payload: bytes) -> bool:
    components = int.from_bytes(payload[_SIZE_COMPONENTS - 2 : _SIZE_COMPONENTS])
    return components > 0 and len(payload) == _SIZE_COMPONENTS + 3 * components


def _is_coding(payload: bytes) -> bool:
    if len(payload) < _CODING:
        return False
    precincts = payload[_LEVELS_AT] + 1 if payload[0] & 1 else 0
    return len(payload) == _CODING + precincts


def _is_quantization(payload: bytes) -> bool:
    """Tell whether there are steps for one sub-band, and three for each level."""
    style = payload[0] & 0x1F if payload else -1
    size = {0: 1, 1: 2, 2: 2}.get(style, 0)
    steps, rest = divmod(len(payload) - 1, size) if size else (0, 0)
    return steps % 3 == 1 and steps <= _STEPS_MAX and rest == 0


_RULES: Final[Mapping[int, Callable[[bytes], bool]]] = {
    0x50: lambda payload: len(payload) % 2 == 0 and len(payload) <= 68,  # noqa: PLR2004  # CAP
    _SIZE: _is_size,
    0x52: _is_coding,
    0x53: lambda payload: 7 <= len(payload) <= 43,  # noqa: PLR2004  # COC
    0x55: lambda payload: len(payload) > 2,  # noqa: PLR2004  # TLM
    0x57: bool,  # PLM
    0x58: bool,  # PLT
    0x59: lambda payload: len(payload) % 2 == 0 and len(payload) <= 68,  # noqa: PLR2004  # CPF
    0x5C: _is_quantization,
    0x5D: lambda payload: _is_quantization(payload[1:]),
    0x5E: lambda payload: len(payload) in (3, 4),  # RGN
    0x5F: lambda payload: len(payload) % 7 == 0 or len(payload) % 9 == 0,  # POC
    0x63: lambda payload: len(payload) % 4 == 0,  # CRG
    _COMMENT: lambda _payload: True,
}
"""Segments that decoders need to what they must look like.

All others are refused: packed packet headers (PPM, PPT) and the extensions of part 2
are not used in DICOM, and could hold anything.
"""


class Jpeg2000Walker(SegmentWalker):
    """Walks over JPEG 2000 codestreams; see `CodestreamWalker`.

    The file format JP2 is refused: DICOM does not allow it, and it can hold anything.
    """

    _START = b"\xff\x4f"

    @override
    def _begin(self) -> None:
        self._sized = False
        self._tiled = False  # has had tile-parts
        self._in_tile = False  # within the header of one
        self._left = 0  # bytes of the tile-part that are still to come
        self._to_the_end = False  # the last tile-part: it has no length
        self._in_data = False

    @override
    def _walk(self, data: bytes, at: int) -> int:
        return self._tile_data(data, at) if self._in_data else self._header(data, at)

    def _tile_data(self, data: bytes, at: int) -> int:
        if self._to_the_end:
            return self._last_tile_data(data, at)
        end = min(len(data), at + self._left)
        self._left -= end - at
        self._in_data = self._left > 0
        return self._pass(data, at, end)

    def _last_tile_data(self, data: bytes, at: int) -> int:
        end = data.find(_END_MARKER, at)
        if end >= 0:
            self._in_data = self._in_tile = False
            return self._header(data, at) if end == at else self._pass(data, at, end)
        end = len(data) - (data[-1] == 0xFF)  # noqa: PLR2004
        if end == at:
            self._needed = 2
            return at
        return self._pass(data, at, end)

    def _header(self, data: bytes, at: int) -> int:
        marker = self._marker(data, at)
        if marker == NEED_MORE:
            return at
        if marker == _END:
            if self._in_tile or not self._tiled:
                raise malformed("a JPEG 2000 codestream without pixels")
            self._end()
            return self._pass(data, at, at + 2)
        if marker == _DATA:
            self._data_starts()
            return self._pass(data, at, at + 2)
        payload = self._segment(data, at)
        if payload is None:
            return at
        return self._replace(data, at, self._judged(marker, payload))

    def _data_starts(self) -> None:
        if not self._in_tile:
            raise malformed("a JPEG 2000 tile-part without a header")
        self._spend(2)
        self._in_tile = self._to_the_end
        self._in_data = self._to_the_end or self._left > 0

    def _judged(self, marker: int, payload: bytes) -> bytes:
        if self._sized == (marker == _SIZE):
            raise malformed("a JPEG 2000 codestream whose size is not at its start")
        self._sized = True
        if marker == _TILE_PART:
            self._tile_part(payload)
        else:
            self._other(marker, payload)
        return bytes(len(payload)) if marker == _COMMENT else payload

    def _tile_part(self, payload: bytes) -> None:
        if self._in_tile or len(payload) != _TILE_PART_PAYLOAD:
            raise malformed("a JPEG 2000 tile-part that cannot be")
        length = int.from_bytes(payload[2:6])
        self._in_tile = self._tiled = True
        self._to_the_end = length == 0
        self._left = length
        self._spend(_TILE_PART_HEADER)

    def _other(self, marker: int, payload: bytes) -> None:
        rule = _RULES.get(marker)
        if rule is None or not rule(payload):
            raise malformed("a segment of a JPEG 2000 codestream that cannot be")
        if self._in_tile:
            self._spend(4 + len(payload))
        elif self._tiled:
            raise malformed("a JPEG 2000 segment between tile-parts")

    def _spend(self, length: int) -> None:
        """Count bytes of the header of a tile-part."""
        if self._to_the_end:
            return
        self._left -= length
        if self._left < 0:
            raise malformed("a JPEG 2000 tile-part that is longer than it says")
