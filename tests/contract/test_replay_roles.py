"""Every recorded question for the roles, and every change of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.answers import complaints
from tests.support.replay import Line, case_of, lines, replay
from tests.support.service import Service, running

ROLES = [
    *lines("roles"),
    *(line for line in lines("oe2-browser") if "/settings/roles" in line.path),
]
SHOWN = [line for line in ROLES if line.method == "GET"]
REPLACED = [line for line in ROLES if line.method == "PUT"]

REFUSED = {
    "shares-put-comment-in-the-json": 400,
    "shares-put-empty-object": 422,
    "shares-put-null": 422,
    "shares-put-long-text": 422,
    "shares-put-numbers-as-labels": 422,
    "shares-put-odd-characters-in-names": 422,
    "shares-put-permissions-as-text": 422,
    "shares-put-roles-a-list": 422,
    "shares-put-roles-missing": 422,
    "shares-put-roles-null": 422,
    "shares-put-unknown-members-are-kept": 422,
}
"""Status of the recorded documents that cannot be stored."""

FILE = {
    "roles": {
        "radiologist": {"authorized-labels": ["*"], "permissions": ["view", "share"]}
    },
    "available-labels": [],
}
"""What `roles_file` holds."""


def once(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


def stored(document: Any) -> dict[str, Any]:
    """Return a document as it is kept: complete, without `server-id` and repeats."""
    return {
        "roles": {
            name: {
                "authorized-labels": once(role.get("authorized-labels", [])),
                "permissions": once(role.get("permissions", [])),
            }
            for name, role in document["roles"].items()
        },
        "available-labels": once(document.get("available-labels", [])),
    }


def test_the_roles_of_the_file_are_shown(roles_file: Path) -> None:
    with running(permissions_file_path=roles_file) as service:
        for line in SHOWN:
            answer = replay(service.base, line)
            if line.has_login:
                assert complaints("roles-get", answer) == [], line.case
                assert answer.json == FILE
            else:
                assert answer.status == 401, line.case


def test_a_document_is_stored_and_shown_or_refused_and_nothing_changes(
    roles_file: Path,
) -> None:
    shown = FILE
    with running(permissions_file_path=roles_file) as service:
        for line in (one for one in REPLACED if one.has_login):
            answer = replay(service.base, line)
            if line.case in REFUSED:
                assert answer.status == REFUSED[line.case], line.case
                assert answer.headers["content-type"] == "application/problem+json"
            else:
                assert complaints("roles-put", answer) == [], line.case
                shown = stored(line.body)
                assert answer.json == shown
            assert service.call("GET", "/settings/roles").json == shown, line.case
            assert service.call("GET", "/shares/roles").json == shown, line.case
    assert json.loads(roles_file.read_text()) == shown


def test_roles_are_stored_without_login_where_none_is_wanted(roles_file: Path) -> None:
    with running(
        users=None, allow_unauthenticated=True, permissions_file_path=roles_file
    ) as service:
        line = next(one for one in REPLACED if not one.has_login)
        assert replay(service.base, line).json == stored(line.body)


@pytest.mark.parametrize("line", REPLACED, ids=case_of)
def test_a_site_without_a_roles_file_stores_nothing(
    line: Line, service: Service, open_service: Service
) -> None:
    asked = service if line.has_login else open_service
    answer = replay(asked.base, line)
    assert answer.status == REFUSED.get(line.case, 409)
    empty: dict[str, Any] = {"roles": {}, "available-labels": []}
    assert asked.call("GET", "/settings/roles").json == empty
