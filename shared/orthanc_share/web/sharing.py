"""The settings turned into the tools that make and read shares."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from orthanc_share.config.settings import SharingSettings
from orthanc_share.deidentification.identifiers import SharePseudonyms
from orthanc_share.domain.access import DECISION_VALIDITY, AccessPolicy
from orthanc_share.domain.clock import Clock, utc_now
from orthanc_share.domain.errors import ConfigurationError
from orthanc_share.domain.share import Share
from orthanc_share.domain.viewer import ViewerLinks
from orthanc_share.tokens.codec import LegacyPolicy, ShareCodec
from orthanc_share.tokens.keyring import (
    KeyRing,
    KeySettings,
    build_key_ring,
    weaknesses,
)
from orthanc_share.tokens.sealing import DEIDENTIFICATION_KEY_LENGTH_MIN, Sealer


@dataclass(frozen=True, slots=True)
class Sharing:
    """Everything that follows from `SharingSettings`.

    Args:
        codec: Makes and reads tokens.
        links: Makes links.
        policy: What is granted to whom; services may narrow it.
        can_sign: Whether this service has a key that signs.
    """

    codec: ShareCodec
    links: ViewerLinks
    policy: AccessPolicy
    can_sign: bool


def build_sharing(
    settings: SharingSettings,
    *,
    clock: Clock = utc_now,
    validity: timedelta = DECISION_VALIDITY,
) -> Sharing:
    """Return the tools for `settings`.

    Raises:
        ConfigurationError: A key is missing, weak or unreadable.
    """
    ring, sealer, problems = examine_keys(settings)
    if ring is None:
        raise ConfigurationError(problems)
    legacy = LegacyPolicy(settings.accept_legacy_tokens, settings.legacy_until())
    return Sharing(
        codec=ShareCodec(ring, sealer=sealer, legacy=legacy, clock=clock),
        links=ViewerLinks(settings.viewer_roots(), _pseudonyms(settings)),
        policy=AccessPolicy(settings.servers(), validity=validity),
        can_sign=ring.signing is not None,
    )


def examine_keys(
    settings: SharingSettings,
) -> tuple[KeyRing | None, Sealer | None, list[str]]:
    """Return the keys, None where one is wrong, and every mistake in them."""
    problems: list[str] = []
    ring: KeyRing | None = None
    sealer: Sealer | None = None
    keys = KeySettings(
        secret_key=_text(settings.secret_key),
        secret_keys_retired=[
            key.get_secret_value() for key in settings.secret_keys_retired
        ],
        signing_key=_text(settings.signing_key),
        verification_keys=_text(settings.verification_keys),
    )
    try:
        ring = build_key_ring(keys)
    except ConfigurationError as error:
        problems += error.problems
    secret = _text(settings.deidentification_key)
    if secret is not None:
        least = DEIDENTIFICATION_KEY_LENGTH_MIN
        weak = list(weaknesses("DEIDENTIFICATION_KEY", secret, least))
        problems += weak
        sealer = None if weak else Sealer(secret.encode())
    return (None if problems else ring), sealer, problems


def _pseudonyms(
    settings: SharingSettings,
) -> Callable[[Share], SharePseudonyms] | None:
    secret = settings.deidentification_key
    if secret is None:
        return None
    key = secret.get_secret_value().encode()

    def of_share(share: Share) -> SharePseudonyms:
        return SharePseudonyms(key, share.id)

    return of_share


def _text(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
