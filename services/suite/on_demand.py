"""Commands that are imported when one of them is wanted.

All of them together load everything that the suite has: more than a second of work, and
tens of megabytes that a service which runs for months would keep.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override


class CommandsOnDemand(Mapping[str, Any]):
    """Commands of typer by their names, each imported when it is asked for.

    Args:
        targets: Name to `module:attribute`, which is a function or a `typer.Typer`.
    """

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = targets

    @override
    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self._targets[name].partition(":")
        target = getattr(import_module(module), attribute)
        group = typer.Typer()
        if isinstance(target, typer.Typer):
            group.add_typer(target, name=name)
        else:
            group.command(name)(target)
        # A callback keeps typer from taking a lone command for the whole.
        group.callback()(lambda: None)
        return typer.main.get_group(group).commands[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    @override
    def __len__(self) -> int:
        return len(self._targets)


def group_of(targets: Mapping[str, str]) -> type[TyperGroup]:
    """Return the class of a group with these commands, see `CommandsOnDemand`."""

    class Group(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            # typer reads from it only; it would have a mapping that can be changed.
            self.commands = CommandsOnDemand(targets)  # type: ignore[assignment]

        @override
        def list_commands(self, ctx: Any) -> list[str]:
            return list(self.commands)

    return Group
