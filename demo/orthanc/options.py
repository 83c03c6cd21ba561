"""Options of the plugin, read from the section `Authorization` of Orthanc.

Names and meaning are those of the C++ authorization plugin (Orthanc Book,
plugins/authorization), so that a configuration can be moved between the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

STANDARD_CONFIGURATIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "osimis-web-viewer": {
        "folders": ("/osimis-viewer/app/", "/osimis-viewer/languages/"),
        "resources": ("/osimis-viewer/config.js",),
        "headers": ("token",),
        "arguments": ("token",),
    },
    "stone-webviewer": {
        "folders": ("/stone-webviewer/",),
        "resources": ("/system",),
        "headers": ("Authorization",),
    },
    "orthanc-explorer-2": {
        "folders": ("/ui/app/", "/ui/landing/"),
        "resources": (
            "/",
            "/ui/api/pre-login-configuration",
            "/ui/api/configuration",
            "/auth/user/profile",
        ),
        "headers": ("Authorization", "token"),
        "arguments": ("token",),
    },
    "ohif": {"folders": ("/ohif/",), "headers": ("Authorization",)},
    "volview": {"folders": ("/volview/",), "headers": ("Authorization",)},
    "stl": {"folders": ("/stl/",), "headers": ("Authorization",)},
}
"""What each viewer needs unchecked and how it hands over its token."""

LEVELS = ("patient", "study", "series", "instance", "system")
"""Levels that the service may be asked about, from the patient down."""

_CHECKED_LEVEL = {
    "patients": "patient",
    "studies": "study",
    "series": "series",
    "instances": "instance",
}

_ROUTES = {
    "validate": ("WebServiceTokenValidationUrl", "tokens/validate"),
    "decode": ("WebServiceTokenDecoderUrl", "tokens/decode"),
    "profile": ("WebServiceUserProfileUrl", "user/get-profile"),
    "create": ("WebServiceTokenCreationBaseUrl", "tokens/"),
}


class OptionError(Exception):
    """The section `Authorization` is wrong; Orthanc must not start."""


@dataclass(frozen=True)
class Options:
    """What the section `Authorization` says.

    Attributes:
        urls: Address of each question: `validate`, `decode`, `profile`, `create`.
            A question without address is never asked.
        login: User and password for the service.
        identifier: Name of this server (`server-id`).
        headers: Names of HTTP headers that carry tokens, sorted bytewise.
        arguments: Names of GET arguments that carry tokens, sorted bytewise.
        checked_levels: Levels the service is asked about.
        folders: Prefixes of paths that everybody may GET.
        resources: Paths that everybody may GET.
    """

    urls: Mapping[str, str]
    login: tuple[str, str] | None = field(default=None, repr=False)
    identifier: str | None = None
    headers: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    checked_levels: frozenset[str] = frozenset(LEVELS)
    folders: tuple[str, ...] = ()
    resources: frozenset[str] = frozenset()

    @property
    def filters(self) -> bool:
        """Whether incoming requests are checked; without, only tokens are made."""
        return "validate" in self.urls or "profile" in self.urls


def read_options(section: Mapping[str, Any]) -> Options:
    """Return the options in `section`.

    Raises:
        OptionError: An option has the wrong type, an unknown value, or contradicts
            another one.
    """
    standards = [_standard(name) for name in _texts(section, "StandardConfigurations")]

    def names(option: str, kind: str) -> tuple[str, ...]:
        found = set(_texts(section, option))
        for standard in standards:
            found.update(standard.get(kind, ()))
        return tuple(sorted(found, key=str.encode))

    return Options(
        urls=_urls(section),
        login=_login(section),
        identifier=_text(section, "WebServiceIdentifier"),
        headers=names("TokenHttpHeaders", "headers"),
        arguments=names("TokenGetArguments", "arguments"),
        checked_levels=_checked_levels(section),
        folders=names("UncheckedFolders", "folders"),
        resources=frozenset(names("UncheckedResources", "resources")),
    )


def _text(section: Mapping[str, Any], option: str) -> str | None:
    value = section.get(option)
    if value is not None and not isinstance(value, str):
        raise OptionError(f"Authorization.{option} must be a text")
    return value or None


def _texts(section: Mapping[str, Any], option: str) -> list[str]:
    value = section.get(option, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise OptionError(f"Authorization.{option} must be a list of texts")
    return value


def _standard(name: str) -> Mapping[str, tuple[str, ...]]:
    try:
        return STANDARD_CONFIGURATIONS[name]
    except KeyError:
        raise OptionError(
            f"Authorization.StandardConfigurations: {name!r} is unknown"
        ) from None


def _urls(section: Mapping[str, Any]) -> Mapping[str, str]:
    root = _text(section, "WebServiceRootUrl")
    single = {key: _text(section, option) for key, (option, _) in _ROUTES.items()}
    urls = {key: url for key, url in single.items() if url is not None}
    if root is not None and urls:
        raise OptionError("Authorization.WebServiceRootUrl excludes the other URLs")
    if root is not None:
        urls = {key: f"{root.rstrip('/')}/{path}" for key, (_, path) in _ROUTES.items()}
    if not urls:
        raise OptionError("Authorization.WebServiceRootUrl is missing")
    for url in urls.values():
        if not url.startswith(("http://", "https://")):
            raise OptionError("Authorization: addresses must start with http(s)://")
    return urls


def _login(section: Mapping[str, Any]) -> tuple[str, str] | None:
    user = _text(section, "WebServiceUsername")
    password = _text(section, "WebServicePassword")
    if (user is None) != (password is None):
        raise OptionError("WebServiceUsername and WebServicePassword go together")
    return None if user is None or password is None else (user, password)


def _checked_levels(section: Mapping[str, Any]) -> frozenset[str]:
    level = _text(section, "CheckedLevel")
    if level is None:
        return frozenset(LEVELS)
    if level not in _CHECKED_LEVEL:
        raise OptionError(f"Authorization.CheckedLevel: {level!r} is unknown")
    return frozenset({_CHECKED_LEVEL[level]})
