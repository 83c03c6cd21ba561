"""What the walkers of compressed images share.

A walker takes the bytes of the codestreams of an object, piece by piece, and returns
them with everything blanked that is not needed to decode: comments, application data,
what follows the end. No byte is added or taken away, so that tables of offsets stay
valid.
"""

from abc import ABC, abstractmethod
from typing import Final

from orthanc_share.deidentification.wire import malformed
from orthanc_share.domain.octets import Octets

NEED_MORE: Final = -1


class CodestreamWalker(ABC):
    """Walks over codestreams that follow each other.

    Attributes:
        images: How many have started.
    """

    _START: bytes
    """The marker that a codestream starts with."""

    def __init__(self) -> None:
        self.images = 0
        self._held: list[Octets] = []
        self._held_length = 0
        self._needed = 1
        self._ended = True  # between two codestreams
        self._starts = False
        self._out: list[bytes] = []

    def boundary(self) -> None:
        """Say that a fragment starts: the only place where a codestream may start."""
        if self._ended:
            self._starts = True

    def feed(self, data: Octets) -> bytes:
        """Return the bytes that are judged; some may be held until more is known.

        Raises:
            DeidentificationError: The codestream breaks its rules.
        """
        self._held.append(data)
        self._held_length += len(data)
        if self._held_length < self._needed:
            return b""
        held = b"".join(self._held)
        at = self._walk_all(held)
        self._held = [held[at:]] if at < len(held) else []
        self._held_length = len(held) - at
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def finish(self) -> None:
        """Say that nothing more comes.

        Raises:
            DeidentificationError: It ended within a codestream.
        """
        if self._starts or not self._ended or self._held_length:
            raise malformed("the data end within a codestream")

    def _walk_all(self, data: bytes) -> int:
        """Walk as far as can be, and return where more is needed."""
        at, size = 0, len(data)
        self._needed = 1
        while at < size:
            if self._starts:
                after = self._start(data, at)
            elif self._ended:
                self._out.append(bytes(size - at))
                after = size
            else:
                after = self._walk(data, at)
            if after == at:
                break
            at = after
        return at

    def _start(self, data: bytes, at: int) -> int:
        marker = self._START
        if not self._has(data, at, len(marker)):
            return at
        if not data.startswith(marker, at):
            raise malformed("a fragment does not start with a codestream")
        self._starts = self._ended = False
        self.images += 1
        self._begin()
        return self._pass(data, at, at + len(marker))

    def _has(self, data: bytes, at: int, length: int) -> bool:
        """Tell whether `length` bytes are there; if not, remember to wait for them."""
        if len(data) - at >= length:
            return True
        self._needed = length
        return False

    def _pass(self, data: bytes, at: int, after: int) -> int:
        """Let bytes out as they are."""
        if at or after != len(data):
            data = data[at:after]
        self._out.append(data)
        return after

    def _end(self) -> None:
        """Say that the codestream is over."""
        self._ended = True

    @abstractmethod
    def _begin(self) -> None:
        """Set what is to be set when a codestream starts."""

    @abstractmethod
    def _walk(self, data: bytes, at: int) -> int:
        """Judge what stands at `at` and return where it ends; `at`: more is needed."""


class SegmentWalker(CodestreamWalker):
    """Walks over markers and their segments, as JPEG and JPEG 2000 have them."""

    def _marker(self, data: bytes, at: int) -> int:
        """Return the second byte of the marker at `at`, or `NEED_MORE`."""
        if not self._has(data, at, 2):
            return NEED_MORE
        if data[at] != 0xFF:  # noqa: PLR2004
            raise malformed("a marker is missing in a codestream")
        return data[at + 1]

    def _segment(self, data: bytes, at: int) -> bytes | None:
        """Return what the segment at `at` holds, or None if more is needed."""
        if not self._has(data, at, 4):
            return None
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:  # noqa: PLR2004
            raise malformed("a segment of a codestream is too short")
        if not self._has(data, at, 2 + length):
            return None
        return data[at + 4 : at + 2 + length]

    def _replace(self, data: bytes, at: int, payload: bytes) -> int:
        """Let a segment out that holds `payload` in place of what it held."""
        self._out.append(data[at : at + 4] + payload)
        return at + 4 + len(payload)


def keep_first(payload: bytes, length: int) -> bytes:
    """Return `payload` with all but its first `length` bytes blanked."""
    kept = payload[:length]
    return kept + bytes(len(payload) - len(kept))
