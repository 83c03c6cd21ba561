"""Everything that can go wrong, without a word about HTTP.

```
OrthancShareError
├── ConfigurationError            the settings contradict each other
├── ShareError                    a share cannot be made as asked
│   ├── InvalidResourceError      an id is malformed, or the one needed is missing
│   ├── InvalidLifetimeError      an expiry that cannot be
│   ├── ShareTypeMismatchError    path and body name different types
│   ├── UnknownShareTypeError     there is no such type
│   ├── ShareTypeDisabledError    this site does not offer the type
│   ├── LimitNotEnforceableError  a limit or password that this link cannot have
│   ├── NoticeAddressError        notices are not sent to that address
│   └── NoShortLinkError          nothing here would open a short link of the share
├── TokenError                    a token opens nothing
│   ├── InvalidTokenError         not readable, or not signed by us
│   ├── ExpiredTokenError         was valid once
│   └── NotYetValidTokenError     will be valid later
├── RolesError                    the document of roles and permissions
│   ├── InvalidRolesError         it cannot be stored as it is
│   └── RolesNotWritableError     there is no file for it, or none we may write
├── TemplateNotFoundError         no e-mail template has that name
├── RegistryOffError              the site keeps no registry of shares
└── UpstreamError                 another server answered nonsense
    └── UpstreamUnavailableError  another server is not there now
        └── UpstreamTimeoutError  another server is there, but did not answer in time
```

`code` is stable: logs, metrics and problem bodies carry it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar


class OrthancShareError(Exception):
    """Base of all errors of this project."""

    code: ClassVar[str] = "error"


class ConfigurationError(OrthancShareError):
    """The settings are wrong; the service must not start.

    Args:
        problems: One line per mistake; names the variable, never its value.
    """

    code = "configuration"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class ShareError(OrthancShareError):
    """A share cannot be made as asked; the text may be shown to the caller."""

    code = "invalid_share"


class InvalidResourceError(ShareError):
    """An id is malformed, or a resource lacks the id that the viewer needs."""

    code = "invalid_resource"


class InvalidLifetimeError(ShareError):
    """The expiry asked for cannot be: in the past, negative, or not allowed here."""

    code = "invalid_lifetime"


class ShareTypeMismatchError(ShareError):
    """The path names one share type and the body another."""

    code = "share_type_mismatch"


class UnknownShareTypeError(ShareError):
    """There is no share type of that name, or none is named at all."""

    code = "unknown_share_type"


class ShareTypeDisabledError(ShareError):
    """The type exists, but this site does not offer it."""

    code = "share_type_disabled"


class LimitNotEnforceableError(ShareError):
    """A limit or a second factor was asked for where nobody would ask for it."""

    code = "limit_not_enforceable"


class NoticeAddressError(ShareError):
    """Notices are not sent to that address."""

    code = "notice_address"


class NoShortLinkError(ShareError):
    """The share cannot have a short link: no landing page would open it."""

    code = "no_short_link"


class TokenError(OrthancShareError):
    """A token opens nothing."""

    code = "token"


class InvalidTokenError(TokenError):
    """The token is not readable, not signed by us, or of another kind."""

    code = "invalid_token"


class ExpiredTokenError(TokenError):
    """The token was valid once; its expiry has passed.

    Args:
        share_type: The token type, which `decode` still tells (protocol B.3).
        expired_at: When it ended, UTC.
    """

    code = "expired_token"

    def __init__(self, share_type: str, expired_at: datetime) -> None:
        super().__init__("The token has expired.")
        self.share_type = share_type
        self.expired_at = expired_at


class NotYetValidTokenError(TokenError):
    """The token becomes valid later.

    Args:
        share_type: The token type.
        not_before: When it starts, UTC.
    """

    code = "not_yet_valid_token"

    def __init__(self, share_type: str, not_before: datetime) -> None:
        super().__init__("The token is not valid yet.")
        self.share_type = share_type
        self.not_before = not_before


class RolesError(OrthancShareError):
    """The roles cannot be changed as asked; the text may be shown to the caller."""

    code = "roles"


class InvalidRolesError(RolesError):
    """A document of roles, or a profile, breaks a rule; the text says where."""

    code = "invalid_roles"


class RolesNotWritableError(RolesError):
    """The site keeps no roles file, or it cannot be replaced now."""

    code = "roles_not_writable"


class TemplateNotFoundError(OrthancShareError):
    """No e-mail template has the name asked for."""

    code = "template_not_found"


class RegistryOffError(OrthancShareError):
    """The site keeps no registry, so that it knows none of its shares."""

    code = "registry_off"

    def __init__(self) -> None:
        super().__init__("This site keeps no registry of shares (REGISTRY=off).")


class UpstreamError(OrthancShareError):
    """Another server answered with something that cannot be used."""

    code = "upstream"


class UpstreamUnavailableError(UpstreamError):
    """Another server could not be reached or did not answer in time."""

    code = "upstream_unavailable"


class UpstreamTimeoutError(UpstreamUnavailableError):
    """Another server could be reached, but its answer did not come in time."""

    code = "upstream_timeout"
