"""The search in whole answers: status line, header, body, and all that is in it."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from suite.leaktest.needles import Haystack, Kind, Needle
from suite.leaktest.unpack import View, views

_HEX_RUN = re.compile(rb"[0-9a-f]{8}(?:-?[0-9a-f]{8}){1,}")
_UUID_UID = re.compile(rb"2\.25\.([0-9]{20,39})")
_DIGEST_START = 16
_HASHES = ("md5", "sha1", "sha256")
_UUID_BYTES = 16
_VERSION_AND_VARIANT = ~((0xF << 76) | (0x3 << 62))
HASHED_MAX = 4096
"""Most identifying values whose digests are looked for as well."""


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire.

    Args:
        status: HTTP status.
        reason: The text after it.
        headers: All fields, in order.
        body: Content.
    """

    status: int
    reason: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str:
        """Return the first field of this name, or nothing."""
        found = (value for key, value in self.headers if key.lower() == name.lower())
        return next(found, "")


@dataclass(frozen=True)
class Finding:
    """A value that came out.

    Args:
        needle: The value.
        where: In which form, such as `body part 3`.
    """

    needle: Needle
    where: str


class Scanner:
    """Looks for values, and for unkeyed digests of them.

    Args:
        needles: The values.
        identities: Those that somebody might hash: ids, names, UIDs.
    """

    def __init__(
        self, needles: Iterable[Needle], identities: Iterable[Needle] = ()
    ) -> None:
        self._haystack = Haystack(needles)
        self._digests = _digests(list(identities)[:HASHED_MAX])
        self._numbers = _uid_numbers(list(identities)[:HASHED_MAX])

    @property
    def needles(self) -> tuple[Needle, ...]:
        """All values that are looked for."""
        return self._haystack.needles

    def scan(self, answer: Answer) -> list[Finding]:
        """Return what is found in an answer, each value once."""
        lines = [f"{answer.status} {answer.reason}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        found = self.scan_bytes("\n".join(lines).encode("latin-1", "replace"), "header")
        return found + self.scan_bytes(answer.body)

    def scan_bytes(self, data: bytes, where: str = "body") -> list[Finding]:
        """Return what is found in some bytes, each value once."""
        found: dict[Needle, Finding] = {}
        for view in views(data, where):
            for needle in self._found(view):
                found.setdefault(needle, Finding(needle, view.where))
        return list(found.values())

    def _found(self, view: View) -> Iterator[Needle]:
        yield from self._haystack.find(view.data)
        lower = view.data.lower()
        for run in _HEX_RUN.finditer(lower):
            start = run[0].replace(b"-", b"")[:_DIGEST_START]
            if start in self._digests:
                yield self._digests[start]
        for uid in _UUID_UID.finditer(lower):
            number = int(uid[1]) & _VERSION_AND_VARIANT
            if number in self._numbers:
                yield self._numbers[number]


def _digest_needle(needle: Needle, algorithm: str) -> Needle:
    return Needle(needle.value, Kind.DIGEST, f"{algorithm} of {needle.source}")


def _digests(identities: Sequence[Needle]) -> dict[bytes, Needle]:
    """Return the first digits of unkeyed digests, which a dictionary would undo."""
    return {
        hashlib.new(name, needle.value.encode(), usedforsecurity=False)
        .hexdigest()[:_DIGEST_START]
        .encode(): _digest_needle(needle, name)
        for needle in identities
        for name in _HASHES
    }


def _uid_numbers(identities: Sequence[Needle]) -> dict[int, Needle]:
    """Return the numbers of `2.25.` UIDs that unkeyed digests would make."""
    numbers = {}
    for needle in identities:
        for name in _HASHES:
            value = needle.value.encode()
            digest = hashlib.new(name, value, usedforsecurity=False).digest()
            number = int.from_bytes(digest[:_UUID_BYTES], "big")
            numbers[number & _VERSION_AND_VARIANT] = _digest_needle(needle, name)
    return numbers
