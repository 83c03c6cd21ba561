"""The site's roles in a file that people edit and the permission page replaces.

Several workers, and several machines on one volume, share the file. Nobody keeps a
copy of his own: each looks whether the file is still the one that he read. It is only
ever replaced as a whole, so whoever reads sees the old document or the new one.
"""

import errno
import json
import logging
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from orthanc_share.config.atomic_file import (
    Signature,
    exclusive,
    replace_content,
    signature,
)
from orthanc_share.config.json_with_comments import (
    DOCUMENT_MAX_BYTES,
    is_plain,
    parse,
)
from orthanc_share.domain.errors import (
    ConfigurationError,
    InvalidRolesError,
    RolesNotWritableError,
)
from orthanc_share.domain.roles import (
    ANONYMOUS,
    Profile,
    RolesDocument,
    parse_profile,
    parse_roles,
)

LOCK_TIMEOUT = timedelta(seconds=5)
"""How long to wait for another worker that is writing; it needs milliseconds."""

COMMENTED_SUFFIX = ".commented"
"""Ends the name of the copy of a file whose comments a replacement would lose."""

T = TypeVar("T")
_log = logging.getLogger(__name__)


class RolesFile:
    """The roles of `PERMISSIONS_FILE_PATH`; without path a site without roles.

    Reading costs one look at the file's metadata, unless it has changed. The methods
    are synchronous and may be called from any thread.

    Args:
        path: JSON with comments, or None.
        lock_timeout: How long `replace` waits for another writer.

    Raises:
        ConfigurationError: The file cannot be read, or breaks a rule.
    """

    def __init__(
        self, path: Path | None, *, lock_timeout: timedelta = LOCK_TIMEOUT
    ) -> None:
        self._path = path
        self._lock_timeout = lock_timeout
        self._guard = threading.Lock()
        self._signature: Signature | None = None
        self._document = RolesDocument()
        if path is not None:
            try:
                self._load(path)
            except ValueError as error:
                problem = f"PERMISSIONS_FILE_PATH: the file {error}."
                raise ConfigurationError([problem]) from None

    def read(self) -> RolesDocument:
        """Return the roles as they are now.

        A file that has become unreadable or wrong is reported in the log, and the
        last good document stays in force.
        """
        if self._path is None:
            return self._document
        with self._guard:
            if signature(self._path) != self._signature:
                self._reload(self._path)
            return self._document

    def replace(self, document: RolesDocument) -> None:
        """Make `document` the site's roles, for all workers, or change nothing.

        Raises:
            InvalidRolesError: The document is too large to be read back.
            RolesNotWritableError: There is no file, or it cannot be replaced.
        """
        if self._path is None:
            raise RolesNotWritableError("This site keeps no roles file.")
        content = _to_bytes(document)
        if len(content) > DOCUMENT_MAX_BYTES:
            raise InvalidRolesError("The roles are too many for their file.")
        # Behind a symbolic link, the file that it points to is the one to replace.
        path = Path(os.path.realpath(self._path))
        try:
            with exclusive(path, self._lock_timeout):
                _keep_comments(path)
                replace_content(path, content)
        except OSError as error:
            reason = _why_not_writable(error)
            _log.warning("%s", reason)
            raise RolesNotWritableError(reason) from None

    def _reload(self, path: Path) -> None:
        """Take the changed file, or keep what we have and say so once per change."""
        try:
            self._load(path)
        except ValueError as error:
            _log.error("The roles file %s; the last good one stays in force.", error)

    def _load(self, path: Path) -> None:
        """Read the file.

        Raises:
            ValueError: What is wrong with it, as the end of a sentence.
        """
        # Looked at before it is read: what changes in between is seen the next time.
        self._signature = signature(path)
        self._document = _parse_file(path, parse_roles)


def load_anonymous_profile(path: Path | None) -> Profile:
    """Return the profile of visitors without account (`ANONYMOUS_PROFILE_FILE_PATH`).

    Args:
        path: JSON with comments; None is a profile without rights.

    Raises:
        ConfigurationError: The file cannot be read, or breaks a rule.
    """
    if path is None:
        return ANONYMOUS
    try:
        profile = _parse_file(path, parse_profile)
    except ValueError as error:
        problem = f"ANONYMOUS_PROFILE_FILE_PATH: the file {error}."
        raise ConfigurationError([problem]) from None
    if profile.rights_that_break_shares:
        _log.warning(
            "The anonymous profile has the permissions %s: share links will not work,"
            " and everybody sees what its labels allow.",
            ", ".join(profile.rights_that_break_shares),
        )
    return profile


def _parse_file(path: Path, parse_document: Callable[[object], T]) -> T:
    """Return what a file holds.

    Raises:
        ValueError: What is wrong with it, as the end of a sentence without full stop.
    """
    value = parse(_read(path))
    try:
        return parse_document(value)
    except InvalidRolesError as error:
        raise ValueError(f"breaks a rule: {error}".removesuffix(".")) from None


def _read(path: Path) -> bytes:
    """Return the content of a file, or one byte more than is allowed.

    Raises:
        ValueError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(DOCUMENT_MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _to_bytes(document: RolesDocument) -> bytes:
    """Return the document as a person would like to find it."""
    text = json.dumps(document.to_json(), ensure_ascii=False, indent=2)
    return text.encode() + b"\n"


def _keep_comments(path: Path) -> None:
    """Put a copy of a file with comments aside, before a version without comes."""
    if path.exists() and not is_plain(content := path.read_bytes()):
        replace_content(path.with_name(path.name + COMMENTED_SUFFIX), content)


def _why_not_writable(error: OSError) -> str:
    """Return what an administrator has to know, without any path."""
    if error.errno == errno.EBUSY:
        return (
            "The roles file cannot be replaced because it is mounted by itself:"
            " mount its folder instead."
        )
    if isinstance(error, BlockingIOError):
        return "Another worker is replacing the roles file; try again."
    return f"The roles file cannot be replaced: {error.strerror}."
