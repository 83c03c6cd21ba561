"""E-mail templates: the `*.html` files of one directory, and nothing beside it."""

import os
import re
from pathlib import Path

from orthanc_share.domain.errors import ConfigurationError, TemplateNotFoundError

TEMPLATE_MAX_BYTES = 262_144
"""Largest template; a bigger one is a picture gone astray."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", re.ASCII)
_SUFFIX = ".html"


class MailTemplates:
    """The site's templates, read when they are asked for.

    Args:
        root: Directory of `*.html` files (`EMAILS_TEMPLATES_ROOT`).

    Raises:
        ConfigurationError: The directory is not there.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise ConfigurationError(["EMAILS_TEMPLATES_ROOT is not a directory."])
        self._root = root

    def names(self) -> list[str]:
        """Return the names of all templates, without suffix, sorted."""
        candidates = (path.name for path in self._root.glob(f"*{_SUFFIX}"))
        names = (name.removesuffix(_SUFFIX) for name in candidates)
        return sorted(name for name in names if self._find(name) is not None)

    def read(self, name: str) -> str:
        """Return the HTML of one template.

        Raises:
            TemplateNotFoundError: There is none, it lies elsewhere, or is unreadable.
        """
        path = self._find(name)
        if path is None:
            raise TemplateNotFoundError("There is no e-mail template of that name.")
        try:
            with path.open("rb") as file:
                content = file.read(TEMPLATE_MAX_BYTES + 1)
            if len(content) <= TEMPLATE_MAX_BYTES:
                return content.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            pass
        raise TemplateNotFoundError("That e-mail template cannot be read.")

    def _find(self, name: str) -> Path | None:
        """Return the file of a template if it lies in our directory.

        A link inside the directory may point to another place inside: that is how
        Kubernetes mounts files.
        """
        if not _NAME.fullmatch(name):
            return None
        root = _real(self._root)
        path = _real(root / f"{name}{_SUFFIX}")
        return path if path.is_relative_to(root) and path.is_file() else None


def _real(path: Path) -> Path:
    """Follow all links; unlike `Path.resolve` a circle of links is no error."""
    return Path(os.path.realpath(path))
