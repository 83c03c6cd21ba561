"""Settings of token-service."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from typing_extensions import override

from orthanc_share.config.roles_file import RolesFile, load_anonymous_profile
from orthanc_share.config.settings import SharingSettings
from orthanc_share.config.sources import problems_of
from orthanc_share.config.values import Duration, Texts, Users
from orthanc_share.domain.access import DECISION_VALIDITY, AccessPolicy
from orthanc_share.domain.lifetime import LifetimePolicy
from orthanc_share.domain.resource import Level
from orthanc_share.web.authentication import has_broken_argon2_hash
from token_service.mail_settings import MailSettings
from token_service.notice_settings import NoticeSettings
from token_service.registry_settings import LinkStyle, RegistrySettings

_SAMPLE_PASSWORDS = {"change-me", "changeme", "password", "secret"}
_SAMPLE_MARK = "change-me"  # in every sample of ours


class TokenServiceSettings(
    RegistrySettings, NoticeSettings, MailSettings, SharingSettings
):
    """What token-service takes."""

    users: Annotated[
        Users | None,
        Field(description='Callers: `{"user": "password or argon2 hash"}`'),
    ] = None
    neighbours: Annotated[
        Texts,
        Field(
            description="Those of `USERS` that are services facing the public: they ask"
            " and open links, and do nothing else"
        ),
    ] = ()
    allow_unauthenticated: Annotated[
        bool, Field(description="Run without `USERS`: everybody may call")
    ] = False
    decision_validity: Annotated[
        Duration,
        Field(
            description="Longest time for which the plugin may keep a decision",
            ge=timedelta(seconds=1),
            le=timedelta(days=1),
        ),
    ] = DECISION_VALIDITY
    default_share_duration: Annotated[
        Duration | None,
        Field(description="Lifetime of shares that ask for none", gt=timedelta(0)),
    ] = None
    max_share_duration: Annotated[
        Duration | None,
        Field(description="Longest lifetime; longer ones are cut", gt=timedelta(0)),
    ] = None
    allow_unlimited_shares: Annotated[
        bool, Field(description="Whether a share may live for ever")
    ] = True
    allow_patient_level: Annotated[
        bool, Field(description="Whether instant links may open whole patients")
    ] = False
    allow_annotations: Annotated[
        bool, Field(description="Grant PUT, with which Osimis stores annotations")
    ] = False
    permissions_file_path: Annotated[
        Path | None, Field(description="Roles file (JSON with comments)")
    ] = None
    anonymous_profile_file_path: Annotated[
        Path | None, Field(description="Profile of callers without a user token")
    ] = None
    docs: Annotated[
        bool, Field(description="Whether `/docs` and `/openapi.json` are shown")
    ] = False

    def people(self) -> dict[str, SecretStr] | None:
        """Return the users who are no services of ours; None: everybody may call."""
        if self.users is None:
            return None
        return {n: p for n, p in self.users.items() if n not in self.neighbours}

    def lifetime_policy(self) -> LifetimePolicy:
        """Return the rule for the expiry of shares."""
        return LifetimePolicy(
            default=self.default_share_duration,
            maximum=self.max_share_duration,
            allow_unlimited=self.allow_unlimited_shares,
        )

    def access_policy(self, policy: AccessPolicy) -> AccessPolicy:
        """Return `policy`, widened by what this site allows besides reading."""
        if self.allow_annotations:
            policy = replace(policy, methods=policy.methods | {"put"})
        if self.allow_patient_level:
            policy = replace(policy, levels=policy.levels | {Level.PATIENT})
        return policy

    @override
    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from super().contradictions()
        if not self.users and not self.allow_unauthenticated:
            yield "USERS is missing (or set ALLOW_UNAUTHENTICATED=true)."
        if not set(self.neighbours) <= set(self.users or {}):
            yield "NEIGHBOURS names a user that USERS does not have."
        if self.users and self.allow_unauthenticated:
            yield "ALLOW_UNAUTHENTICATED contradicts USERS: remove one of them."
        passwords = (one.get_secret_value() for one in (self.users or {}).values())
        if any(has_broken_argon2_hash(password) for password in passwords):
            yield "USERS has a damaged argon2 hash; Compose wants each $ twice."
        if any(
            _is_sample(one.get_secret_value()) for one in (self.users or {}).values()
        ):
            yield "USERS has a sample password: make a random one."
        yield from problems_of(
            lambda: RolesFile(self.permissions_file_path),
            lambda: load_anonymous_profile(self.anonymous_profile_file_path),
        )
        if self.link_style is LinkStyle.SHORT:
            yield from self._short_link_contradictions()
        default, maximum = self.default_share_duration, self.max_share_duration
        if default is not None and maximum is not None and default > maximum:
            yield "DEFAULT_SHARE_DURATION is longer than MAX_SHARE_DURATION."

    def _short_link_contradictions(self) -> Iterator[str]:
        if not self.registry:
            yield "LINK_STYLE=short needs the registry: remove REGISTRY=off."
        if not (self.public_landing_root or "").endswith("/"):
            yield "LINK_STYLE=short needs PUBLIC_LANDING_ROOT, ending with /."

    @override
    def warnings(self) -> Iterator[str]:
        """Yield a line for each setting that is possible, but hardly meant so."""
        yield from super().warnings()
        if self.allow_unauthenticated:
            yield "ALLOW_UNAUTHENTICATED: EVERYBODY who reaches this port makes shares."


def _is_sample(password: str) -> bool:
    text = password.lower()
    return text in _SAMPLE_PASSWORDS or _SAMPLE_MARK in text
