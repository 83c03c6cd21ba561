"""Whether the public addresses fit each other."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from urllib.parse import urlsplit

from orthanc_share.config.settings import SharingSettings
from suite.commands.doctor.findings import Finding, error, ok, warning

_ROOTS = (
    "public_landing_root",
    "public_orthanc_root",
    "public_anonymized_orthanc_root",
    "public_ohif_root",
    "public_meddream_root",
)
# What a viewer of one reads from the other has to have one origin, or CORS.
_ONE_ORIGIN = (
    ("PUBLIC_ORTHANC_ROOT", "PUBLIC_OHIF_ROOT"),
    ("PUBLIC_ORTHANC_ROOT", "PUBLIC_ANONYMIZED_ORTHANC_ROOT"),
    ("PUBLIC_ORTHANC_ROOT", "PUBLIC_LANDING_ROOT"),
)


def public_roots(settings: SharingSettings) -> dict[str, str]:
    """Return the public addresses, by their variables."""
    found = {name.upper(): getattr(settings, name) for name in _ROOTS}
    return {name: root for name, root in found.items() if root}


def address_findings(roots: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what does not fit; one line if everything does.

    Args:
        roots: Public addresses, by their variables.
    """
    found = [*_schemes(roots), *_twice(roots), *_origins(roots), *_local(roots)]
    yield from found
    if not found and roots:
        yield ok("addresses", f"{', '.join(roots)} fit each other.")
    if not roots:
        text = "There is no public address."
        yield error("addresses", text, "Set PUBLIC_ORTHANC_ROOT and others.")


def _schemes(roots: Mapping[str, str]) -> Iterator[Finding]:
    plain = [name for name, root in roots.items() if root.startswith("http://")]
    if plain and len(plain) < len(roots):
        text = f"{', '.join(plain)}: http://, while the others are https://."
        yield error("addresses", text, "Browsers refuse the mixture: https for all.")


def _twice(roots: Mapping[str, str]) -> Iterator[Finding]:
    for (one, root), (other, same) in combinations(roots.items(), 2):
        if root == same:
            text = f"{one} and {other} are the same address."
            yield error("addresses", text, "Each needs an address of its own.")


def _origins(roots: Mapping[str, str]) -> Iterator[Finding]:
    for one, other in _ONE_ORIGIN:
        if one not in roots or other not in roots:
            continue
        hosts = [urlsplit(roots[name]).netloc.lower() for name in (one, other)]
        if hosts[0] != hosts[1]:
            text = f"{one} and {other} have different hosts: {' and '.join(hosts)}."
            yield warning("addresses", text, "One host, or CORS on the second.")


def _local(roots: Mapping[str, str]) -> Iterator[Finding]:
    local = [
        name
        for name, root in roots.items()
        if urlsplit(root).hostname in {"localhost", "127.0.0.1", "::1"}
    ]
    if local:
        text = f"{', '.join(local)}: a link leads to the machine of who opens it."
        yield warning("addresses", text, "Use the host name that recipients know.")
