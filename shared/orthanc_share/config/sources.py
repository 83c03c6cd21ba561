"""Where the value of a setting comes from, and what to say when it is wrong.

`NAME` is, in this order: the file named by the variable `NAME_FILE`, a file `NAME` in
the secrets directory (`SECRETS_DIR`, `/run/secrets` by default), the variable `NAME`.
An empty value counts as absent. As with the predecessors, a secret file wins over a
variable.
"""

import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from orthanc_share.domain.errors import ConfigurationError

SECRETS_DIR = Path("/run/secrets")
"""Where Docker puts secrets; the variable `SECRETS_DIR` names another folder."""

SECRET_LENGTH_MAX = 65_536
"""Longest secret file, in bytes."""

_FILE_SUFFIX = "_FILE"
_NAME = re.compile(r"\b[A-Z][A-Z_]{3,}\b", re.ASCII)
_MISSPELT = 0.86  # similarity from which an unknown variable was meant to be ours
_SHELL_VARIABLES = {"USER"}  # look like ours, but every login has them
_COMMAND_LINE = "ORTHANC_SHARE_"  # begins variables of the command, not of a service


class SettingsBase(BaseSettings):
    """Base of all settings: frozen, knows its other names, shows no value in errors.

    Calling a class reads nothing but its arguments; `load` reads the environment.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=False
    )

    ALIASES: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Field name to further names of its variable, in upper case."""

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave only the arguments; `load` hands in the rest."""
        return (init_settings,)

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Return the names of all variables, each with its field, best name first."""
        return {
            name: field
            for field in cls.model_fields
            for name in (field.upper(), *cls.ALIASES.get(field, ()))
        }

    def contradictions(self) -> Iterator[str]:
        """Yield a line for each way in which settings contradict each other."""
        yield from ()

    def warnings(self) -> Iterator[str]:
        """Yield a line for each setting that is possible, but hardly meant so."""
        yield from ()

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings of this process.

        Args:
            environ: Environment variables; None: those of the process.

        Raises:
            ConfigurationError: With every mistake, one line each.
        """
        settings, problems = cls.examine(environ)
        if problems:
            raise ConfigurationError(problems)
        return settings

    @classmethod
    def examine(
        cls, environ: Mapping[str, str] | None = None
    ) -> tuple[Self, Sequence[str]]:
        """Return the settings and every mistake in them.

        A value that is wrong by itself is replaced by its default, so that the rest
        can be examined too.
        """
        source = EnvironmentAndSecrets(cls, os.environ if environ is None else environ)
        values = source()
        problems = list(source.problems)
        wrong: set[str] = set()
        try:
            settings = cls(**values)
        except ValidationError as error:
            wrong = {str(detail["loc"][0]) for detail in error.errors()}
            problems += _lines(error)
            settings = cls(**{k: v for k, v in values.items() if k not in wrong})
        # What is wrong by itself is not missing as well.
        reported = {name for name, field in cls.variables().items() if field in wrong}
        reported |= {variable_in(problem) for problem in source.problems}
        problems += (
            line
            for line in settings.contradictions()
            if variable_in(line) not in reported
        )
        return settings, problems


class EnvironmentAndSecrets(PydanticBaseSettingsSource):
    """Reads raw texts from secret files and environment variables.

    Args:
        settings_cls: Says which variables there are.
        environ: Environment variables.
    """

    def __init__(
        self, settings_cls: type[SettingsBase], environ: Mapping[str, str]
    ) -> None:
        super().__init__(settings_cls)
        self._variables = settings_cls.variables()
        self._environ = environ
        self.problems: list[str] = []
        self._folder = Path(environ.get("SECRETS_DIR") or SECRETS_DIR)
        self._secrets = self._secret_names()

    @override
    def get_field_value(
        self, field: FieldInfo, field_name: str
    ) -> tuple[Any, str, bool]:
        """Return the text of one field, its name, and that it is not JSON."""
        return self().get(field_name), field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        """Return field names with their raw texts."""
        values: dict[str, Any] = {}
        for name, field in self._variables.items():
            text = self._text(name)
            if not text:
                continue
            if values.setdefault(field, text) != text:
                self.problems.append(f"{name}: differs from its other name.")
        return values

    def _text(self, name: str) -> str | None:
        named = self._environ.get(name + _FILE_SUFFIX)
        if named:
            return self._read(Path(named), name + _FILE_SUFFIX)
        if name in self._secrets:
            return self._read(self._folder / name, name)
        return self._text_of_variable(name)

    def _text_of_variable(self, name: str) -> str | None:
        value = self._environ.get(name)
        if value is None:
            return None
        try:
            value.encode()
        except UnicodeEncodeError:
            self.problems.append(f"{name}: is not UTF-8 text.")
            return None
        return value.strip()

    def _secret_names(self) -> frozenset[str]:
        try:
            return frozenset(path.name for path in self._folder.iterdir())
        except OSError as error:
            is_ours = bool(self._environ.get("SECRETS_DIR"))
            if is_ours or not isinstance(error, FileNotFoundError):
                line = f"SECRETS_DIR: cannot read the folder ({error.strerror})."
                self.problems.append(line)
            return frozenset()

    def _read(self, path: Path, name: str) -> str | None:
        try:
            with path.open("rb") as file:
                raw = file.read(SECRET_LENGTH_MAX + 1)
            if len(raw) <= SECRET_LENGTH_MAX:
                return raw.decode("utf-8-sig").strip()  # editors write the mark
            self.problems.append(f"{name}: the file is too long.")
        except OSError as error:
            self.problems.append(f"{name}: cannot read the file ({error.strerror}).")
        except UnicodeDecodeError:
            self.problems.append(f"{name}: the file is not UTF-8 text.")
        return None


def problems_of(*checks: Callable[[], object]) -> Iterator[str]:
    """Yield the lines of every check that raises a `ConfigurationError`."""
    for check in checks:
        try:
            check()
        except ConfigurationError as error:
            yield from error.problems


def variable_in(problem: str) -> str:
    """Return the variable with which a line about a mistake begins."""
    return problem.split(maxsplit=1)[0].rstrip(":").removesuffix(_FILE_SUFFIX)


def variables_in(problem: str) -> set[str]:
    """Return all variables that a line about a mistake names."""
    return {name.removesuffix(_FILE_SUFFIX) for name in _NAME.findall(problem)}


def misspelt(
    known: Sequence[str], environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Yield a line for each variable that looks like a misspelt one of ours."""
    environ = os.environ if environ is None else environ
    ours = {*known, *(name + _FILE_SUFFIX for name in known), "SECRETS_DIR"}
    for name in sorted(environ.keys() - ours - _SHELL_VARIABLES):
        if name.startswith(_COMMAND_LINE):
            continue
        close = difflib.get_close_matches(name.upper(), ours, n=1, cutoff=_MISSPELT)
        if close:
            yield f"{name}: unknown; do you mean {close[0]}?"


def _lines(error: ValidationError) -> Iterator[str]:
    for detail in error.errors(include_input=False, include_url=False):
        message = str(detail["msg"]).removeprefix("Value error, ")
        yield f"{str(detail['loc'][0]).upper()}: {message}"
