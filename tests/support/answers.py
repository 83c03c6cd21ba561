"""What the plugin can use of an answer, learned from `answers.jsonl`.

For each answer that was tried on a real Orthanc the recording tells what became of it.
An answer of ours is right if each of its members has a kind that worked, and all
members are there that every working answer had.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.support.replay import Answer, raw_lines

PATH_TO_ROUTE = {
    "/tokens/validate": "validate",
    "/shares/validate": "validate",
    "/tokens/decode": "decode",
    "/shares/decode": "decode",
    "/user/get-profile": "profile",
    "/shares/profile": "profile",
}
"""The plugin's questions; `create` and roles are told apart by their method."""

MEMBERS: Mapping[str, Sequence[str]] = {
    "validate": ("granted", "validity"),
    "profile": (
        "name",
        "permissions",
        "authorized-labels",
        "validity",
        "groups",
        "user-id",
    ),
    "create": ("token", "url"),
    "decode": ("error-code", "redirect-url", "resources"),
    "roles-get": ("roles",),
    "roles-put": ("roles",),
}
"""Members that the plugin or Orthanc Explorer 2 reads, by route."""

HARMFUL = (
    "profile-validity-0",  # kept for ever
    "create-url-empty",  # an empty link for the user
    "create-url-missing",
    "create-token-missing",
    "create-token-null",
    "decode-expired-but-resources-named",  # opens the study all the same
    "decode-empty-error-code",  # the browser looks whether the member is there
    "decode-numbers",  # a page without text
    "decode-valid-resources-missing",  # no prior studies in OHIF
    "decode-resources-null",
    "decode-invalid-other-members-missing",
    "decode-unknown",
)
"""Beginnings of cases that Orthanc takes, and whose effect nobody wants."""

INT32_MAX = 2**31 - 1
UINT32_MAX = 2**32 - 1


@dataclass(frozen=True)
class Tried:
    """An answer that was tried on a real Orthanc.

    Args:
        case: Its name.
        route: What was asked.
        answer: What was answered.
        worked: Whether Orthanc took it, and it did no harm.
    """

    case: str
    route: str
    answer: Answer
    worked: bool


@cache
def tried() -> Sequence[Tried]:
    """Return all answers of the recording that have a status and came in time."""
    entries = (entry for entry in raw_lines("answers") if "steps" not in entry)
    return [
        Tried(entry["case"], entry["route"], _answer(entry["answer"]), _worked(entry))
        for entry in entries
        if "status" in (entry["answer"] or {})
        and "delay_seconds" not in entry["answer"]
    ]


def _answer(given: Mapping[str, Any]) -> Answer:
    raw = json.dumps(given["json"]) if "json" in given else given.get("text", "")
    headers = {name.lower(): text for name, text in given.get("headers", {}).items()}
    return Answer(given["status"], headers, raw.encode())


def _worked(entry: Mapping[str, Any]) -> bool:
    if entry["case"].startswith(HARMFUL) or "Location" in str(entry["answer"]):
        return False
    route, result = entry["route"], entry["result"]
    if route in {"validate", "profile"}:
        # An answer that cannot be used is never kept; a decision without a validity
        # is asked for again with every image.
        return bool(entry["cached"])
    if result.get("status") != 200:
        # A study list without studies is what a refused token shall give.
        return result.get("status") == 403 and _is_usual(entry["answer"])
    if route == "create":
        return bool(result["json"]["Token"])
    return _is_usual(entry["answer"])


def _is_usual(given: Mapping[str, Any]) -> bool:
    return given["status"] == 200 and bool(given.get("json")) and given["json"] != [1]


def kind(value: Any) -> str:
    """Return the kind of a JSON value, as finely as the plugin tells them apart."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return _kind_of_number(value)
    if isinstance(value, str):
        return "text" if value else "empty text"
    if isinstance(value, list):
        return "list of " + "+".join(sorted({kind(one) for one in value}))
    return "object" if isinstance(value, dict) else "real number"


def _kind_of_number(value: int) -> str:
    if value <= 0:
        return "zero" if value == 0 else "negative"
    if value <= INT32_MAX:
        return "small"
    return "middle" if value <= UINT32_MAX else "large"


@cache
def working_kinds(route: str) -> Mapping[str, frozenset[str]]:
    """Return the kinds that worked, by member; `absent` where it may be left out."""
    worked = [
        one.answer.json
        for one in tried()
        if one.route == route and one.worked and _is_object(one.answer)
    ]
    return {
        name: frozenset(_kind_of(answer, name) for answer in worked)
        for name in MEMBERS[route]
    }


def _is_object(answer: Answer) -> bool:
    try:
        return isinstance(answer.json, dict)
    except ValueError:
        return False


def _kind_of(answer: Mapping[str, Any], name: str) -> str:
    return kind(answer[name]) if name in answer else "absent"


def complaints(route: str, answer: Answer) -> list[str]:
    """Return what the plugin could not use of an answer."""
    return list(_complaints(route, answer))


def _complaints(route: str, answer: Answer) -> Iterator[str]:
    if answer.status != 200:
        yield f"status {answer.status}"
    elif not _is_object(answer):
        yield "no JSON object"
    else:
        yield from _wrong_members(route, answer.json)


def _wrong_members(route: str, answer: Mapping[str, Any]) -> Iterator[str]:
    for name, working in working_kinds(route).items():
        found = _kind_of(answer, name)
        is_list = any(one.startswith("list of ") for one in working)
        if found not in working and not (found == "list of " and is_list):
            yield f"{name}: {found}"
    if route == "decode" and answer.get("error-code") and answer.get("resources"):
        yield "resources of a token with an error"
