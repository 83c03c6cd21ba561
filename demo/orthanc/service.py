"""The questions to the token-service, on the wire as the C++ plugin 0.11.4 sends them.

Each call is a new connection with a chunked body: compact JSON, sorted keys, ASCII.
Stricter than the C++ plugin: redirects are not followed, and a profile with validity 0
is not kept.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from demo.orthanc.cache import ExpiringCache
from demo.orthanc.options import Options
from demo.orthanc.request import Token

TIMEOUT = 10.0
"""Seconds for each step of a call (the C++ plugin: 10 s for the whole of it)."""

MAX_ANSWER = 1_000_000
"""Bytes of an answer; none of the service's answers comes near."""

MAX_VALIDITY = 2**31 - 1
"""Greatest `validity` in seconds that the C++ plugin accepts."""


class ServiceError(Exception):
    """The service did not answer, or nonsense; nothing may be granted.

    Attributes:
        status: HTTP status of the answer, None if there was no answer.
        detail: What the service says about it, for the caller.
    """

    def __init__(
        self, message: str, status: int | None = None, detail: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


@dataclass(frozen=True)
class Checked:
    """What access is asked for.

    Attributes:
        method: `get`, `post`, `put` or `delete`.
        level: `patient`, `study`, `series`, `instance` or `system`.
        orthanc_id: Identifier in Orthanc, empty for level `system`.
        dicom_id: PatientID or UID, empty for level `system`.
        uri: Path, for level `system` only.
    """

    method: str
    level: str
    orthanc_id: str = ""
    dicom_id: str = ""
    uri: str = ""

    def body(self) -> dict[str, Any]:
        """Return the members of the question."""
        members = {"method": self.method, "level": self.level}
        if self.level == "system":
            return {**members, "uri": self.uri}
        return {**members, "orthanc-id": self.orthanc_id, "dicom-uid": self.dicom_id}


@dataclass(frozen=True)
class Profile:
    """Who is asking.

    Attributes:
        permissions: What the user may do.
        labels: Labels of the resources the user may see; `*` means all.
        document: The whole answer.
    """

    permissions: frozenset[str]
    labels: frozenset[str]
    document: Mapping[str, Any]


class TokenService:
    """Client of the token-service, safe to use from many threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._grants: ExpiringCache[bool] = ExpiringCache()
        self._profiles: ExpiringCache[Profile] = ExpiringCache()

    def granted(self, checked: Checked, token: Token | None) -> bool:
        """Ask whether `token` opens `checked`; without token, whether everybody may.

        Raises:
            ServiceError: No answer, or one that is not what was agreed.
        """
        asked = checked.orthanc_id or checked.uri
        held = None if token is None else (token.key, token.value)
        key = (checked.method, checked.level, asked, held)
        known = self._grants.get(key)
        if known is not None:
            return known
        body = {**checked.body(), "server-id": self._options.identifier}
        if token is not None:
            body |= {"token-key": token.key, "token-value": token.value}
        answer = self._ask("POST", "validate", body, self._token_header(token))
        granted, validity = answer.get("granted"), answer.get("validity", 0)
        if not isinstance(granted, bool) or not _is_validity(validity):
            raise ServiceError("validate: granted or validity is not what was agreed")
        self._grants.put(key, granted, validity)
        return granted

    def profile(self, token: Token | None) -> Profile:
        """Ask who holds `token`.

        Raises:
            ServiceError: No answer, or one that is not a profile.
        """
        token = token or Token("", "")
        key = (token.key, token.value)
        known = self._profiles.get(key)
        if known is not None:
            return known
        body = {
            "token-key": token.key,
            "token-value": token.value,
            "server-id": self._options.identifier,
        }
        answer = self._ask("POST", "profile", body)
        profile = _profile(answer)
        self._profiles.put(key, profile, answer["validity"])
        return profile

    def decode(self, key: str, value: str) -> dict[str, Any]:
        """Ask what is in a token.

        Raises:
            ServiceError: No answer, or none in JSON.
        """
        return self._ask("POST", "decode", {"token-key": key, "token-value": value})

    def create(self, token_type: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Have a token made.

        Raises:
            ServiceError: Refused, or no answer.
        """
        server = {"type": token_type, "server-id": self._options.identifier}
        return self._ask("PUT", "create", {**body, **server}, suffix=quote(token_type))

    def offers(self, question: str) -> bool:
        """Tell whether there is an address for this question."""
        return question in self._options.urls

    def _token_header(self, token: Token | None) -> dict[str, str]:
        """Return the token under its own name, as the C++ plugin repeats it."""
        if token is None or not token.value:
            return {}
        if token.key.lower() == "authorization" and self._options.login:
            return {}
        return {token.key: token.value}

    def _ask(
        self,
        method: str,
        question: str,
        body: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        *,
        suffix: str = "",
    ) -> dict[str, Any]:
        url = self._options.urls[question] + suffix
        sent = {"Accept": "*/*", "Content-Type": "application/json", **(headers or {})}
        if self._options.login is not None:
            login = ":".join(self._options.login).encode()
            sent["Authorization"] = f"Basic {b64encode(login).decode()}"
        status, content = _call(method, url, sent, _compact(body))
        return _read(question, status, content)


def _compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode("ascii")


def _call(
    method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, bytes]:
    """Make one call on its own connection; return status and body of the answer."""
    target = urlsplit(url)
    kind = HTTPSConnection if target.scheme == "https" else HTTPConnection
    connection = kind(target.netloc, timeout=TIMEOUT)
    try:
        connection.putrequest(method, target.path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value.encode("latin-1"))
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders([body], encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_ANSWER)
    except (OSError, HTTPException, ValueError) as error:
        # ValueError: a token that cannot be a header (control or foreign characters)
        raise ServiceError(f"no answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _read(question: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    members = answer if isinstance(answer, dict) else {}
    if not 200 <= status < 300:  # noqa: PLR2004
        detail = members.get("detail")
        text = detail if isinstance(detail, str) else None
        raise ServiceError(f"{question}: the service answered {status}", status, text)
    if not isinstance(answer, dict):
        raise ServiceError(f"{question}: the answer is no JSON object", status)
    return members


def _profile(answer: Mapping[str, Any]) -> Profile:
    permissions = answer.get("permissions")
    labels = answer.get("authorized-labels")
    right = (
        isinstance(answer.get("name"), str)
        and _is_texts(permissions)
        and _is_texts(labels)
        and _is_validity(answer.get("validity"))
    )
    if not right:
        raise ServiceError("profile: the answer is no profile")
    return Profile(frozenset(permissions or ()), frozenset(labels or ()), answer)


def _is_validity(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_VALIDITY


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
