"""A document of roles is taken as a whole or refused with the place (A34, A54)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from orthanc_share.domain.errors import InvalidRolesError
from orthanc_share.domain.roles import (
    ANONYMOUS,
    Profile,
    Role,
    RolesDocument,
    parse_profile,
    parse_roles,
)

EXAMPLE = {
    "roles": {
        "radiologist": {
            "authorized-labels": ["*"],
            "permissions": ["view", "download", "share"],
        },
        "partner": {"authorized-labels": ["external"], "permissions": ["view"]},
    },
    "available-labels": ["external", "teaching"],
}
"""The example of protocol B.5."""


def test_a_document_survives_reading_and_writing() -> None:
    document = parse_roles(EXAMPLE)
    assert document.to_json() == EXAMPLE
    assert document.roles["partner"] == Role(("view",), ("external",))


def test_a_site_without_roles_has_an_empty_document() -> None:
    assert RolesDocument().to_json() == {"roles": {}, "available-labels": []}


def test_the_server_id_of_the_plugin_is_dropped() -> None:
    assert parse_roles({**EXAMPLE, "server-id": "site-a"}).to_json() == EXAMPLE


def test_underscores_are_hyphens() -> None:
    document = {
        "roles": {"a_b": {"authorized_labels": ["x_y"], "permissions": ["view"]}},
        "available_labels": ["x_y"],
    }
    assert parse_roles(document).to_json() == {
        "roles": {"a_b": {"authorized-labels": ["x_y"], "permissions": ["view"]}},
        "available-labels": ["x_y"],
    }


def test_what_is_left_out_is_empty() -> None:
    document = parse_roles({"roles": {"a": {}, "b": {"permissions": None}}})
    assert document.roles == {"a": Role(), "b": Role()}
    assert document.available_labels == ()


def test_permissions_and_names_are_free_texts() -> None:
    name = 'Ärzte "Nord" / 日本'
    role = {"authorized-labels": [], "permissions": ["my-own permission", "Ü"]}
    assert parse_roles({"roles": {name: role}}).to_json()["roles"][name] == role


def test_repeated_values_count_once_and_keep_their_order() -> None:
    role = {"authorized-labels": ["b", "*", "b"], "permissions": ["y", "x", "y"]}
    assert parse_roles({"roles": {"a": role}}).roles["a"] == Role(
        ("y", "x"), ("b", "*")
    )


def many(number: int) -> list[str]:
    """Return different names."""
    return [f"n{place}" for place in range(number)]


def test_a_large_document_is_accepted() -> None:
    role = {"permissions": many(1000), "authorized-labels": ["x" * 64]}
    document = {"roles": dict.fromkeys(many(1000), role)}
    assert len(parse_roles(document).roles) == 1000


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "document"),
        ([], "document"),
        ({}, "roles"),
        ({"available-labels": ["x"]}, "roles"),
        ({"roles": None}, "roles"),
        ({"roles": []}, "roles"),
        ({"roles": {}, "extra": 1}, "extra"),
        ({"roles": {}, "Roles": {}}, "Roles"),
        ({"roles": {}, "available-labels": {}}, "available-labels"),
        ({"roles": {}, "available-labels": "x"}, "available-labels"),
        ({"roles": {}, "available-labels": ["*"]}, "available-labels"),
        ({"roles": {}, "available-labels": ["ä b"]}, "available-labels"),
        ({"roles": {}, "available-labels": [""]}, "available-labels"),
        ({"roles": {}, "available-labels": ["x" * 65]}, "available-labels"),
        ({"roles": {}, "available-labels": ["x\n"]}, "available-labels"),
        ({"roles": {}, "available-labels": many(1001)}, "available-labels"),
        ({"roles": {}, "available-labels": [], "available_labels": []}, "twice"),
        ({"roles": {name: {} for name in many(1001)}}, "roles"),
        ({"roles": {"": {}}}, "roles"),
        ({"roles": {" ": {}}}, "roles"),
        ({"roles": {"a\x00": {}}}, "roles"),
        ({"roles": {"x" * 256: {}}}, "roles"),
        ({"roles": {"a": None}}, r"roles\['a'\]"),
        ({"roles": {"a": {"comment": "x"}}}, "comment"),
        ({"roles": {"a": {"permissions": "all"}}}, r"roles\['a'\].permissions"),
        ({"roles": {"a": {"permissions": [1]}}}, "permissions"),
        ({"roles": {"a": {"permissions": [None]}}}, "permissions"),
        ({"roles": {"a": {"permissions": [["view"]]}}}, "permissions"),
        ({"roles": {"a": {"permissions": ["\ud800"]}}}, "permissions"),
        ({"roles": {"a": {"permissions": ["x" * 256]}}}, "permissions"),
        ({"roles": {"a": {"permissions": many(1001)}}}, "permissions"),
        ({"roles": {"a": {"authorized-labels": [1]}}}, "authorized-labels"),
        ({"roles": {"a": {"authorized-labels": ["a/b"]}}}, "authorized-labels"),
        ({"roles": {"a": {"authorized-labels": ["**"]}}}, "authorized-labels"),
    ],
)
def test_a_mistake_is_refused_with_its_place(document: Any, place: str) -> None:
    with pytest.raises(InvalidRolesError, match=place) as raised:
        parse_roles(document)
    assert len(str(raised.value)) < 250
    assert raised.value.code == "invalid_roles"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["roles", "permissions", "authorized-labels", "a", ""]),
            inner,
            max_size=3,
        )
    ),
)


@given(JSON)
def test_any_document_is_taken_and_stays_the_same_or_is_refused(value: Any) -> None:
    for document in (value, {"roles": value}, {"roles": {"a": value}}):
        try:
            parsed = parse_roles(document)
        except InvalidRolesError:
            continue
        again = json.loads(json.dumps(parsed.to_json()))
        assert parse_roles(again) == parsed


def test_an_anonymous_visitor_may_do_nothing() -> None:
    assert ANONYMOUS.to_json() == {
        "name": "Anonymous",
        "permissions": [],
        "authorized-labels": [],
        "validity": 60,
        "groups": [],
        "user-id": None,
    }
    assert parse_profile({}) == ANONYMOUS


def test_a_profile_survives_reading_and_writing() -> None:
    example = {
        "name": "Dr. Example",
        "permissions": ["view", "download", "share"],
        "authorized-labels": ["ward-3"],
        "validity": 60,
        "groups": ["/site-groups-north"],
        "user-id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    }
    assert parse_profile(example).to_json() == example


@pytest.mark.parametrize("seconds", [1, 60, 4_294_967_295])
def test_a_profile_is_valid_for_a_time(seconds: int) -> None:
    profile = parse_profile({"validity": seconds})
    assert profile.validity == timedelta(seconds=seconds)
    assert profile.to_json()["validity"] == seconds


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, "profile"),
        ({"unknown": 1}, "unknown"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"permissions": "upload"}, "permissions"),
        ({"authorized-labels": ["ä"]}, "authorized-labels"),
        ({"groups": [1]}, "groups"),
        ({"user-id": 1}, "user-id"),
        ({"validity": 0}, "validity"),
        ({"validity": -1}, "validity"),
        ({"validity": 4_294_967_296}, "validity"),
        ({"validity": 60.0}, "validity"),
        ({"validity": "60"}, "validity"),
        ({"validity": True}, "validity"),
        ({"validity": None}, "validity"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(document: Any, place: str) -> None:
    with pytest.raises(InvalidRolesError, match=place):
        parse_profile(document)


def test_rights_that_break_shares_are_known() -> None:
    profile = Profile(permissions=("upload", "view", "all", "download", "share"))
    assert profile.rights_that_break_shares == ("view", "all", "download")
