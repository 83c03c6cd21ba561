"""Settings for tests: a site with everything switched on."""

from typing import Any

from token_service.settings import TokenServiceSettings

SECRET_KEY = "9LvQ2mXw7TzKc4RgYd1NsBf6HjUp3EaV8oWiZ5qM"  # made up, for tests only
"""The site's shared secret."""

DEIDENTIFICATION_KEY = "Vb8nJ3rXqL5wYt2KzHs7GdMf4PcUe9Ra6TiQo1Zx"  # made up too
"""The site's de-identification key."""

USER = ("share-user", "change-me")
"""The login in the recordings."""

PUBLIC = "https://share.example.org"
"""Where the site is."""


def token_service_settings(**changes: Any) -> TokenServiceSettings:
    """Return settings with all viewers but MedDream, and `changes`."""
    values: dict[str, Any] = {
        "secret_key": SECRET_KEY,
        "registry": False,
        "users": {USER[0]: USER[1]},
        "public_orthanc_root": f"{PUBLIC}/shares/",
        "public_ohif_root": f"{PUBLIC}/ohif/",
        "public_landing_root": f"{PUBLIC}/welcome/",
    }
    return TokenServiceSettings(**values | changes)
