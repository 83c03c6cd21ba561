"""Who may do what: roles and profiles as the authorization plugin knows them.

The service keeps the roles for Orthanc Explorer 2's permission page (protocol B.5,
B.6) and tells the plugin the profile of visitors without account (B.4). Documents
come as plain JSON values; what they leave out is empty, what they get wrong is refused
with the place, so that a typing mistake never becomes a right.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from orthanc_share.domain.errors import InvalidRolesError

EVERY_LABEL = "*"
"""Stands for all labels, and for resources without any."""

ROLES_MAX = 1000
"""Most roles of a document."""

NAMES_MAX = 1000
"""Most permissions, labels or groups in one list."""

NAME_MAX_CHARS = 255
"""Longest role, permission or group name; Keycloak's roles end there too."""

VALIDITY_MAX = timedelta(seconds=4_294_967_295)
"""The plugin counts a profile's validity in 32 bits (protocol K.1)."""

PROFILE_VALIDITY = timedelta(seconds=60)
"""How long the plugin keeps a profile if its file does not say."""

RIGHTS_THAT_BREAK_SHARES = frozenset({"all", "view", "download"})
"""Permissions that an anonymous visitor should not have.

The plugin asks for the profile of a share token too, takes the anonymous one for its
holder, and then refuses what the share would allow (protocol 0.5, trap 3).
"""

_LABEL = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""Orthanc's rule for labels."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Role:
    """What the members of a role may do.

    Args:
        permissions: Free texts, which the plugin's table of permissions refers to.
        authorized_labels: Labels of what they may see; `*` for everything.
    """

    permissions: tuple[str, ...] = ()
    authorized_labels: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as Orthanc Explorer 2 writes it."""
        return {
            "authorized-labels": list(self.authorized_labels),
            "permissions": list(self.permissions),
        }


@dataclass(frozen=True, slots=True)
class RolesDocument:
    """All roles of a site; the default has none.

    Args:
        roles: By name.
        available_labels: Labels that users may give; none means any.
    """

    roles: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    available_labels: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of protocol B.5."""
        return {
            "roles": {name: role.to_json() for name, role in self.roles.items()},
            "available-labels": list(self.available_labels),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the plugin learns about a visitor; the default may do nothing.

    Args:
        name: Shown to the visitor.
        permissions: As in a role.
        authorized_labels: As in a role.
        validity: How long the plugin may keep it; at least a second, because it
            keeps 0 for ever (protocol B.4).
        groups: For forms of Orthanc Explorer 2.
        user_id: For audit logs.
    """

    name: str = "Anonymous"
    permissions: tuple[str, ...] = ()
    authorized_labels: tuple[str, ...] = ()
    validity: timedelta = PROFILE_VALIDITY
    groups: tuple[str, ...] = ()
    user_id: str | None = None

    @property
    def rights_that_break_shares(self) -> tuple[str, ...]:
        """Its permissions that keep share links from working if it is anonymous."""
        return tuple(p for p in self.permissions if p in RIGHTS_THAT_BREAK_SHARES)

    def to_json(self) -> dict[str, Any]:
        """Return the answer of protocol B.4."""
        return {
            "name": self.name,
            "permissions": list(self.permissions),
            "authorized-labels": list(self.authorized_labels),
            "validity": int(self.validity.total_seconds()),
            "groups": list(self.groups),
            "user-id": self.user_id,
        }


ANONYMOUS = Profile()
"""A visitor without account, where the site says nothing else."""


def parse_roles(document: object) -> RolesDocument:
    """Return the roles in a JSON document; `server-id` is dropped (protocol B.6).

    Raises:
        InvalidRolesError: With the place of the first mistake.
    """
    known = {"roles", "available-labels", "server-id"}
    members = _members(document, "the document", known)
    roles = members.get("roles")
    # A document without roles would delete them all.
    if not isinstance(roles, Mapping):
        raise InvalidRolesError("roles must be an object.")
    if len(roles) > ROLES_MAX:
        raise InvalidRolesError(f"roles has more than {ROLES_MAX} members.")
    return RolesDocument(
        MappingProxyType({_name(n, "roles"): _role(n, r) for n, r in roles.items()}),
        _labels(members, "available-labels", "available-labels", every=False),
    )


def parse_profile(document: object) -> Profile:
    """Return the profile in a JSON document of protocol B.4.

    Raises:
        InvalidRolesError: With the place of the first mistake.
    """
    known = {"permissions", "authorized-labels", "name", "validity", "groups"}
    members = _members(document, "the profile", known | {"user-id"})
    user_id = members.get("user-id")
    return Profile(
        name=_name(members.get("name", ANONYMOUS.name), "name"),
        permissions=_names(members.get("permissions"), "permissions"),
        authorized_labels=_labels(members, "authorized-labels", "authorized-labels"),
        validity=_validity(members.get("validity", PROFILE_VALIDITY.seconds)),
        groups=_names(members.get("groups"), "groups"),
        user_id=None if user_id is None else _name(user_id, "user-id"),
    )


def _role(name: str, value: object) -> Role:
    """Return one role."""
    place = f"roles[{name!r:.80}]"
    members = _members(value, place, {"permissions", "authorized-labels"})
    return Role(
        _names(members.get("permissions"), f"{place}.permissions"),
        _labels(members, "authorized-labels", f"{place}.authorized-labels"),
    )


def _members(value: object, place: str, known: Collection[str]) -> dict[str, Any]:
    """Return the members of an object under their names with hyphens.

    Files of the predecessor also write underscores. A member that nobody knows is
    refused: dropped, it would be lost with the next save, and kept, never work.
    """
    if not isinstance(value, Mapping):
        raise InvalidRolesError(f"{place} must be an object.")
    members: dict[str, Any] = {}
    for written, member in value.items():
        name = str(written).replace("_", "-")
        if name not in known:
            raise InvalidRolesError(f"{place} has the unknown member {written!r:.80}.")
        if name in members:
            raise InvalidRolesError(f"{place} has {name} twice.")
        members[name] = member
    return members


def _labels(
    members: Mapping[str, Any], name: str, place: str, *, every: bool = True
) -> tuple[str, ...]:
    """Return a list of labels, in which `*` may stand for every one."""
    labels = _names(members.get(name), place)
    for label in labels:
        if not (_LABEL.fullmatch(label) or (every and label == EVERY_LABEL)):
            raise InvalidRolesError(
                f"{place} has {label!r:.80}; a label has 1 to 64 of A-Z a-z 0-9 _ -."
            )
    return labels


def _names(value: object, place: str) -> tuple[str, ...]:
    """Return a list of names, each once, in its order; nothing is an empty list."""
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > NAMES_MAX:
        raise InvalidRolesError(f"{place} must be a list of at most {NAMES_MAX} texts.")
    return tuple(dict.fromkeys(_name(item, place) for item in value))


def _name(value: object, place: str) -> str:
    """Return a text that can be a name."""
    if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
        raise InvalidRolesError(f"{place} must hold texts that can be read.")
    if len(value) > NAME_MAX_CHARS:
        raise InvalidRolesError(f"{place} has a text over {NAME_MAX_CHARS} characters.")
    return value


def _validity(value: object) -> timedelta:
    """Return whole seconds, at least one."""
    most = int(VALIDITY_MAX.total_seconds())
    # JSON's true is an int in Python.
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidRolesError(f"validity must be whole seconds from 1 to {most}.")
    return timedelta(seconds=value)
