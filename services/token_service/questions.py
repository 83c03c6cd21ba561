"""Questions of the plugin, read leniently in form and strictly in type."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple
from starlette.types import Scope

from orthanc_share.domain.access import AccessRequest
from orthanc_share.domain.errors import OrthancShareError
from orthanc_share.web.json_body import UnreadableBodyError, parse_json
from orthanc_share.web.plain import header

# Blanks only: a token with a control character is no token (protocol K.11).
_BEARER = re.compile(r" *bearer +", re.IGNORECASE | re.ASCII)

_UNDERSCORED = {
    "dicom_uid": "dicom-uid",
    "orthanc_id": "orthanc-id",
    "server_id": "server-id",
    "token_key": "token-key",
    "token_value": "token-value",
    "user_id": "user-id",
}
_has_only_hyphens = frozenset(_UNDERSCORED).isdisjoint

_NAMES = ("method", "level", "dicom-uid", "orthanc-id", "server-id", "identifier")
_ASKED = tuple((name, name.replace("-", "_")) for name in _NAMES)


class UnreadableQuestionError(OrthancShareError):
    """A question without what the plugin always sends; it is answered with a denial."""

    code = "unreadable_question"


class _PluginQuestion(
    msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True, gc=False
):
    """A question exactly as the plugin spells it."""

    level: str
    method: str
    token_value: str
    dicom_uid: str | UnsetType | None = UNSET
    orthanc_id: str | UnsetType | None = UNSET
    server_id: str | UnsetType | None = UNSET
    token_key: str | UnsetType | None = UNSET
    uri: str | UnsetType | None = UNSET


_MEMBERS = len(_PluginQuestion.__struct_fields__)
_decode = msgspec.json.Decoder(_PluginQuestion).decode


def read_question(body: bytes, scope: Scope) -> tuple[AccessRequest, str]:
    """Return what is asked for, and the token like `token`.

    Args:
        body: The JSON text.
        scope: ASGI scope whose headers are looked at as well.

    Raises:
        UnreadableQuestionError: No level, no method, a wrong type, or two servers.
    """
    sent = _as_the_plugin_sends_it(body)
    if sent is None:
        question = read_object(body)
        return access_request(question), token(question, scope)
    request = AccessRequest(
        sent.method.lower(),
        sent.level.lower(),
        sent.dicom_uid or None,
        sent.orthanc_id or None,
        sent.server_id or None,
    )
    return request, without_bearer(sent.token_value)


def _as_the_plugin_sends_it(body: bytes) -> _PluginQuestion | None:
    """Return the question if it can be read in one go, as nearly every one can.

    None for all that takes a closer look, be it right or wrong: other spellings, more
    members, a token in the header only, a member that occurs twice.
    """
    try:
        sent = _decode(body)
    except (msgspec.DecodeError, ValueError):
        return None
    # Each member takes a colon: with one that occurs twice there are more colons.
    members = _MEMBERS - astuple(sent).count(UNSET)
    return sent if body.count(b":") == members else None


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`.

    Raises:
        UnreadableQuestionError: Anything else, or an object that spells a member with
            hyphens and with underscores and means two things by it.
    """
    try:
        value = parse_json(body)
    except UnreadableBodyError as error:
        raise UnreadableQuestionError from error
    if isinstance(value, dict) and (_has_only_hyphens(value) or _is_clear(value)):
        return value
    raise UnreadableQuestionError


def _is_clear(question: dict[str, Any]) -> bool:
    """Tell whether no member is given in two spellings with two values."""
    pairs = ((question.get(a), question.get(b)) for a, b in _UNDERSCORED.items())
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def member(question: dict[str, Any], name: str) -> str | None:
    """Return the text called `name`, spelled with hyphens or underscores.

    Raises:
        UnreadableQuestionError: It is no text.
    """
    value = question.get(name)
    if value is None:
        value = question.get(name.replace("-", "_"))
    if value is None or isinstance(value, str):
        return value
    raise UnreadableQuestionError


def _texts(
    question: dict[str, Any], spellings: Iterable[tuple[str, str]]
) -> list[str | None]:
    """Return the members with these names: one pass, for it is done for every image."""
    found = []
    for name, other in spellings:
        value = question.get(name)
        if value is None:
            value = question.get(other)
        if value is not None and not isinstance(value, str):
            raise UnreadableQuestionError
        found.append(value)
    return found


def access_request(question: dict[str, Any]) -> AccessRequest:
    """Return what is asked for.

    Raises:
        UnreadableQuestionError: No level, no method, a wrong type, or two servers.
    """
    method, level, uid, orthanc_id, server, older = _texts(question, _ASKED)
    if method is None or level is None:
        raise UnreadableQuestionError
    if server is not None and older is not None and server != older:
        raise UnreadableQuestionError
    server = older if server is None else server
    return AccessRequest(method.lower(), level.lower(), uid, orthanc_id, server)


def token(question: dict[str, Any], scope: Scope | None = None) -> str:
    """Return the token of the question without `Bearer `; empty if there is none.

    The body goes before the header, for it is what the plugin caches by (protocol
    J.4); the header serves callers that send no token in the body.

    Args:
        question: The question.
        scope: ASGI scope whose headers are looked at as well, or None.

    Raises:
        UnreadableQuestionError: The token is no text.
    """
    value = member(question, "token-value")
    if value is None and scope is not None:
        value = _token_in_header(question, scope)
    return "" if value is None else without_bearer(value)


def without_bearer(value: str) -> str:
    """Return a token without one leading `Bearer `, in any case, and outer blanks."""
    if " " not in value:
        return value
    matched = _BEARER.match(value)
    return value[matched.end() if matched else 0 :].strip(" ")


def _token_in_header(question: dict[str, Any], scope: Scope) -> str | None:
    names = (member(question, "token-key"), "token")
    for name in names:
        if name and name.isascii() and name.lower() != "authorization":
            value = header(scope, name.lower().encode())
            if value is not None:
                return value.decode("latin-1")
    return None
