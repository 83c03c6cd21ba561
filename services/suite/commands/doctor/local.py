"""What can be seen without asking anybody: settings, logins, keys."""

from collections.abc import Iterator

from orthanc_share.config.settings import SharingSettings
from orthanc_share.domain.clock import Clock
from orthanc_share.domain.share import Flavour
from orthanc_share.tokens.keyring import KeyRing, KeySettings, build_key_ring
from orthanc_share.web.sharing import examine_keys
from suite.checks import Report
from suite.commands.doctor.findings import Finding, error, ok, warning
from suite.commands.doctor.site import Site
from token_service.settings import TokenServiceSettings

PASSWORD_LENGTH_MIN = 12
"""Shortest plain password of a program that raises no question, in characters."""

_HASH = "$argon2"


def settings_findings(report: Report) -> Iterator[Finding]:
    """Yield what stops each service, and what is hardly meant so."""
    for name, service in report.services.items():
        for problem in service.problems:
            yield error("settings", f"{name}: {problem}", "It does not start so.")
        for line in service.warnings:
            yield warning("settings", f"{name}: {line}", "Change it, if not meant so.")
        if not service.problems:
            yield ok("settings", f"{name} can start.")


def user_findings(settings: SharingSettings) -> Iterator[Finding]:
    """Yield what is to be said of the logins; damaged hashes are a wrong setting."""
    if not isinstance(settings, TokenServiceSettings):
        return
    for name, secret in (settings.users or {}).items():
        password = secret.get_secret_value()
        if password.startswith(_HASH):
            yield ok("users", f"USERS: {name} has an argon2 hash.")
        elif len(password) < PASSWORD_LENGTH_MIN:
            text = f"USERS: the password of {name} is short."
            advice = f"Make a random one of {PASSWORD_LENGTH_MIN} characters or more."
            yield warning("users", text, advice)
        else:
            yield ok("users", f"USERS: {name} has a password.")


def key_findings(site: Site) -> Iterator[Finding]:
    """Yield whether tokens that are made here will be accepted."""
    settings = site.any_settings
    ring, _, problems = examine_keys(settings)
    if ring is None:
        # What is wrong with them is told with the settings.
        yield error("keys", "No token can be read.", f"Mend first: {problems[0]}")
        return
    yield from _verification(settings, ring)
    yield from _legacy(settings, site.clock, has_secret=bool(ring.legacy))
    if ring.signing is None:
        yield ok("keys", "Links can be checked here, but not made.")
        return
    for flavour in settings.servers():
        yield _own_token(site, flavour)


def _own_token(site: Site, flavour: Flavour) -> Finding:
    token = site.token(flavour)
    sharing = site.sharing()
    if token is None or sharing is None:
        text = f"No token of a share that is {flavour} can be made."
        return error("keys", text, "Set DEIDENTIFICATION_KEY.")
    sharing.codec.verify(token, site.clock())
    return ok("keys", f"A token of a share that is {flavour} is made and read.")


def _verification(settings: SharingSettings, ring: KeyRing) -> Iterator[Finding]:
    """Yield whether those who have the public keys only would refuse new links."""
    public = settings.verification_keys
    if settings.signing_key is None or public is None or ring.signing is None:
        return
    theirs = build_key_ring(KeySettings(verification_keys=public.get_secret_value()))
    if ring.signing.public.id not in theirs.verifying:
        text = "VERIFICATION_KEYS lacks the public key of SIGNING_KEY."
        advice = (
            "Landing and anonymizer refuse new links: add it, for example by"
            " `orthanc-share keys rotate`."
        )
        yield error("keys", text, advice)


def _legacy(
    settings: SharingSettings, clock: Clock, *, has_secret: bool
) -> Iterator[Finding]:
    """Yield whether links of the predecessors are refused though they are wanted."""
    if "accept_legacy_tokens" not in settings.model_fields_set:
        return
    until = settings.legacy_until()
    if not settings.accept_legacy_tokens:
        return
    if not has_secret:
        text = "ACCEPT_LEGACY_TOKENS: there is no secret that could have signed them."
        advice = "Put the predecessor's SECRET_KEY into SECRET_KEYS_RETIRED."
        yield warning("keys", text, advice)
    elif until is not None and until <= clock():
        text = "LEGACY_TOKENS_UNTIL has passed: links of the predecessor are refused."
        yield warning("keys", text, "Set ACCEPT_LEGACY_TOKENS=false, or a later end.")
