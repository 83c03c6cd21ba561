"""What the client wants to have (RFC 9110 12.5.1, PS3.18 8.7): accepted or refused."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request

from anonymizer.multipart import parameters
from anonymizer.orthanc import DICOM_JSON
from orthanc_share.domain.resource import is_uid
from orthanc_share.web.problems import RequestError

ANY_SYNTAX: Final = "*"
"""The transfer syntax of whoever takes the images as they are stored."""

DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"

ACCEPT_MAX: Final = 4096
"""Longest list of media types, in characters."""

_MULTIPART: Final = "multipart/related"
_JSON: Final = "application/json"
_PARTS: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')


class NotAcceptableError(RequestError):
    """The client takes nothing of what there is."""

    code = "not_acceptable"

    def __init__(self) -> None:
        detail = "This is not to be had in a media type that you accept."
        super().__init__(HTTPStatus.NOT_ACCEPTABLE, detail)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One entry of an `Accept` list.

    Args:
        kind: Media range, lower case.
        parameters: Its parameters, names in lower case.
    """

    kind: str
    parameters: Mapping[str, str]

    @property
    def quality(self) -> float:
        """How much it is wanted, 0 to 1."""
        try:
            return min(1.0, max(0.0, float(self.parameters.get("q", "1"))))
        except ValueError:
            return 0.0

    @property
    def part_kind(self) -> str:
        """The media type of the parts of a multipart body; `*/*` if any will do."""
        named = self.parameters.get("type", "*/*")
        # Some clients quote too much, as in type="image/jpeg; transfer-syntax=…".
        return named.partition(";")[0].strip().lower()

    def includes(self, kind: str) -> bool:
        """Tell whether the range includes a media type."""
        main = kind.partition("/")[0]
        return self.kind in {kind, f"{main}/*", "*/*"}

    def includes_part(self, kind: str) -> bool:
        """Tell whether the range includes a multipart body of such parts."""
        if self.kind in {"*/*", "multipart/*"}:
            return True
        main = kind.partition("/")[0]
        return self.kind == _MULTIPART and self.part_kind in {
            kind,
            f"{main}/*",
            "*/*",
        }


def wanted(request: Request) -> Sequence[Wanted]:
    """Return what a request accepts, best first; all if it does not say.

    The query parameter `accept` counts before the header (PS3.18 8.3.3.1).
    """
    given = request.query_params.getlist("accept")
    given = given or request.headers.getlist("accept")
    found = list(_entries(",".join(given)[:ACCEPT_MAX]))
    accepted = [one for one in found if one.quality > 0]
    if found and not accepted:
        raise NotAcceptableError
    return sorted(accepted or [Wanted("*/*", {})], key=lambda one: -one.quality)


def _entries(text: str) -> Iterator[Wanted]:
    for entry in _PARTS.findall(text):
        # Not the one of `parameters`, which would make a plain text of a range.
        kind = entry.partition(";")[0].strip().lower()
        yield Wanted(kind, parameters(entry.strip())[1])


def json_type(request: Request) -> str:
    """Return the media type of an answer in DICOM JSON.

    Raises:
        NotAcceptableError: Only something else is wanted, such as XML.
    """
    for one in wanted(request):
        if one.includes(DICOM_JSON):
            return DICOM_JSON
        if one.kind == _JSON:
            return _JSON
    raise NotAcceptableError


@dataclass(frozen=True, slots=True)
class Form:
    """How instances or frames are sent.

    Args:
        is_multipart: As parts of one body; else the one there is, by itself.
        transfer_syntax: Wanted UID, `*`, or None: the client did not say.
    """

    is_multipart: bool
    transfer_syntax: str | None


def form(request: Request, kind: str, *, single: bool) -> Form:
    """Return how instances (`application/dicom`) or frames are sent.

    Args:
        request: Says what it accepts.
        kind: Media type of instances or frames.
        single: Whether there is only one, which may go without multipart.

    Raises:
        NotAcceptableError: It wants something else.
    """
    for one in wanted(request):
        if one.includes_part(kind):
            return Form(is_multipart=True, transfer_syntax=_syntax(one))
        if single and one.includes(kind):
            return Form(is_multipart=False, transfer_syntax=_syntax(one))
    raise NotAcceptableError


def image_type(request: Request) -> str:
    """Return the media type of a rendered image.

    Raises:
        NotAcceptableError: It wants something else.
    """
    for one in wanted(request):
        for kind in (JPEG, PNG):
            if one.includes(kind):
                return kind
    raise NotAcceptableError


def _syntax(one: Wanted) -> str | None:
    given = one.parameters.get("transfer-syntax")
    if given is None:
        # Within the quotes of `type`, as older viewers have it.
        found = re.search(r"transfer-syntax=([*0-9.]+)", one.parameters.get("type", ""))
        given = None if found is None else found[1]
    return None if given is None else checked_syntax(given)


def checked_syntax(given: str) -> str:
    """Return a transfer syntax that was asked for.

    Raises:
        NotAcceptableError: It is no UID, nor `*`.
    """
    if given != ANY_SYNTAX and not is_uid(given):
        raise NotAcceptableError
    return given
