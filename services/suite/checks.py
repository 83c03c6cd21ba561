"""The settings as each service sees them, without a secret."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from orthanc_share.config.settings import SharingSettings
from orthanc_share.config.sources import misspelt
from orthanc_share.web.startup import examine
from suite.app import SETTINGS

_HIDDEN = "(set)"
_PRIVATE = "PRIVATE KEY-----"  # in the first line of a key in PEM


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """One service's settings.

    Args:
        values: Variable to value; secrets only say that they are set.
        problems: What stops the service.
        warnings: What is possible, but hardly meant so.
    """

    values: Mapping[str, Any]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The settings of all services.

    Args:
        services: Report of each service, by name.
    """

    services: Mapping[str, ServiceReport]

    @property
    def has_problems(self) -> bool:
        """Whether a service cannot start."""
        return any(service.problems for service in self.services.values())

    def to_json(self) -> dict[str, Any]:
        """Return the report for programs."""
        return {
            name: {
                "settings": service.values,
                "problems": service.problems,
                "warnings": service.warnings,
            }
            for name, service in self.services.items()
        }

    def to_text(self) -> str:
        """Return the report for people: what differs from the default."""
        lines = []
        for name, service in self.services.items():
            verdict = "cannot start" if service.problems else "ok"
            lines.append(f"{name}: {verdict}")
            lines += [f"  {key} = {value}" for key, value in service.values.items()]
            lines += [f"  PROBLEM  {problem}" for problem in service.problems]
            lines += [f"  warning  {warning}" for warning in service.warnings]
        return "\n".join(lines)


def report(environ: Mapping[str, str] | None = None) -> Report:
    """Return the report on the settings of this process.

    Args:
        environ: Environment variables; None: those of the process.
    """
    return Report({name: _one(kind, environ) for name, kind in SETTINGS.items()})


def _one(
    kind: type[SharingSettings], environ: Mapping[str, str] | None
) -> ServiceReport:
    settings, problems = examine(kind, environ)
    warnings = (*settings.warnings(), *misspelt(list(kind.variables()), environ))
    values = {
        field.upper(): _shown(getattr(settings, field))
        for field in sorted(settings.model_fields_set)
    }
    return ServiceReport(values, tuple(problems), tuple(dict.fromkeys(warnings)))


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return _HIDDEN
    if isinstance(value, dict):
        return sorted(value)  # of USERS the names
    if isinstance(value, tuple) and any(isinstance(one, SecretStr) for one in value):
        return [_HIDDEN] * len(value)
    if isinstance(value, bool | int | float):
        return value
    # Certificates are no secret, but their file may hold the key as well.
    return _HIDDEN if _PRIVATE in str(value) else str(value)
