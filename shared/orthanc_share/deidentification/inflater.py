"""Deflated datasets (PS3.5 A.5), inflated piece by piece."""

import zlib
from collections.abc import Iterator
from typing import Final

from orthanc_share.deidentification.wire import malformed
from orthanc_share.domain.octets import Octets

_PIECE: Final = 2**20  # bytes that are inflated at a time
_RAW: Final = -15  # a bare deflate stream (RFC 1951) with a window of 32 KiB


class Inflater:
    """Inflates a dataset."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(_RAW)

    def feed(self, data: Octets) -> Iterator[bytes]:
        """Yield what `data` holds, in pieces of bounded length.

        Raises:
            DeidentificationError: It is not deflated.
        """
        while data and not self._stream.eof:
            try:
                piece = self._stream.decompress(data, _PIECE)
            except zlib.error:
                raise malformed("the deflated data are damaged") from None
            data = self._stream.unconsumed_tail
            yield piece

    def finish(self) -> None:
        """Refuse a stream that has no end.

        Raises:
            DeidentificationError: It ended too early.
        """
        if not self._stream.eof:
            raise malformed("the deflated data have no end")
