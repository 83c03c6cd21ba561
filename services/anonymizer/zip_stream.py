"""ZIP archives that are written while they are sent (APPNOTE 6.3.10, ISO/IEC 21320-1).

Members are stored, not compressed: images hardly shrink, and a viewer can start to read
at once. Sizes and check sums follow each member (data descriptor), ZIP64 is used where
it may be needed. Dates, names and attributes say nothing about the content.
"""

import zipfile
from contextlib import suppress
from typing import IO, Self, cast

from orthanc_share.domain.errors import OrthancShareError

ZIP64_FROM = 2**31 - 2**20
"""Members of this size, in bytes, or more are written with ZIP64 sizes.

Python's limit is 2**31 - 1; the rest is room for what a rewritten header may grow.
"""

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest one: no date of the study, none of today
_READ_ONLY = 0o100444 << 16  # a regular file, in the upper half as Unix writes it


class MemberTooLargeError(OrthancShareError):
    """A member has become larger than what was foreseen for it: the archive is lost."""

    code = "member_too_large"

    def __init__(self) -> None:
        super().__init__("A file is larger than was foreseen.")


class _Outlet:
    """Where the archive is written to: a queue that is emptied after each step."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Take a piece."""
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: there is nothing behind it."""

    def take(self) -> bytes:
        """Return all that was written since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


class ZipStream:
    """One archive in the making; each method returns the bytes to send now.

    Use it in a `with` statement: an archive that is given up leaves nothing behind.
    """

    def __init__(self) -> None:
        self._outlet = _Outlet()
        # Without `tell` and `seek` the library writes data descriptors.
        self._archive = zipfile.ZipFile(cast("IO[bytes]", self._outlet), "w")
        self._member: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        # The library complains of members that have not ended.
        if self._member is not None:
            with suppress(RuntimeError):
                self._member.close()
        self._archive.close()
        self._outlet.take()

    def begin(self, name: str, size: int | None = None) -> bytes:
        """Begin a member.

        Args:
            name: Its path in the archive, ASCII, with `/`.
            size: About how many bytes it will have, not too few; None: unknown.
        """
        entry = zipfile.ZipInfo(name, _DATE)
        entry.external_attr = _READ_ONLY
        entry.create_system = 3  # Unix
        is_large = size is None or size >= ZIP64_FROM
        self._member = self._archive.open(entry, "w", force_zip64=is_large)
        return self._outlet.take()

    def write(self, data: bytes) -> bytes:
        """Add bytes to the member.

        Raises:
            RuntimeError: No member was begun.
        """
        if self._member is None:
            raise RuntimeError("no member was begun")
        self._member.write(data)
        return self._outlet.take()

    def end(self) -> bytes:
        """End the member.

        Raises:
            RuntimeError: No member was begun.
            MemberTooLargeError: It is 2 GB larger than `begin` was told.
        """
        if self._member is None:
            raise RuntimeError("no member was begun")
        member, self._member = self._member, None
        try:
            member.close()
        except RuntimeError:
            raise MemberTooLargeError from None
        return self._outlet.take()

    def finish(self) -> bytes:
        """Write the directory; the archive is complete.

        Raises:
            ValueError: A member has not ended.
        """
        self._archive.close()
        return self._outlet.take()


def member_name(series: int, instance: int) -> str:
    """Return the neutral path of an image, both numbers counted from 1."""
    return f"SE{series:06}/IM{instance:06}.dcm"
