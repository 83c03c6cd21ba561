"""Which permission a user needs for which request; a part of the plugin's table.

Only routes that Orthanc 1.10 has are listed; a route that is not listed is open to
nobody by permission alone.
"""

import re
from typing import NamedTuple

_PUBLICATIONS = "(stone|meddream|osimis|ohif|volview)-viewer-publication"
_LEVELS = "(patients|studies|series|instances)"


class Rule(NamedTuple):
    """One line of the table.

    Attributes:
        method: HTTP method in lower case.
        path: Pattern of the whole path.
        permissions: Any of them is enough; none at all means everybody.
    """

    method: str
    path: str
    permissions: frozenset[str]


def _rule(method: str, path: str, permissions: str) -> Rule:
    return Rule(method, path, frozenset(permissions.split("|")) - {""})


RULES = (
    _rule("post", "/auth/tokens/decode", ""),
    _rule("post", "/tools/lookup", ""),
    _rule("post", "/tools/find", "all|view"),
    _rule("get", f"/{_LEVELS}", "all|view"),
    _rule("get", f"/{_LEVELS}/[-a-f0-9]+(/.*)?", "all|view"),
    _rule("get", "/(statistics|changes|system|plugins|plugins/.+)", "all|view"),
    _rule("get", "/dicom-web/(studies|series|instances)(/.*)?", "all|view"),
    _rule("put", "/auth/tokens/(viewer|meddream)-instant-link", "all|view"),
    _rule("put", "/auth/tokens/download-instant-link", "all|download"),
    _rule("put", f"/auth/tokens/{_PUBLICATIONS}", "all|share"),
    _rule("post", "/instances", "all|upload"),
    _rule("post", "/dicom-web/studies(/.*)?", "all|upload"),
    _rule("post", f"/{_LEVELS}/[-a-f0-9]+/modify", "all|modify"),
    _rule("post", f"/{_LEVELS}/[-a-f0-9]+/anonymize", "all|anonymize"),
    _rule("delete", f"/{_LEVELS}/[-a-f0-9]+", "all|delete"),
)
"""First match wins (protocol of the plugin, version 0.11.4)."""


def required(method: str, path: str) -> frozenset[str] | None:
    """Return the permissions of which one is enough, or None for an unlisted route."""
    for rule in RULES:
        if rule.method == method and re.fullmatch(rule.path, path):
            return rule.permissions
    return None
