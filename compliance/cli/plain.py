"""Text, paths and flags without pydantic.

Typer converts every parameter through a pydantic TypeAdapter, whose import alone costs 0.15 s: more than all of
`compliance verify`. Text, paths and flags need no conversion, so the commands' parameters get this one instead; numbers
keep Typer's, which checks their bounds.
"""

from pathlib import Path
from typing import Any

import typer
from typer._coercion import RuntimeParam  # Typer has no public place for it; the lock pins the version

_MAKERS: dict[Any, Any] = {str: str, Path: Path, list[str]: str, list[Path]: Path, bool: bool}
"""A flag's value is a bool already; text never reaches it."""


class Plain(RuntimeParam):
    """A parameter that is text or a path, or a list of them."""

    def _coerce_value(self, value: Any, param: Any, ctx: Any) -> Any:
        make = _MAKERS[self.annotation]
        return [make(item) for item in value] if isinstance(value, list | tuple) else make(value)


def simplify(command: Any) -> None:
    """Give the plain parameters of a command, and its --help, the plain conversion."""
    help_option = command.get_help_option(typer.Context(command, **command.context_settings))
    for parameter in (*command.params, help_option):
        descriptor = getattr(parameter, "type_descriptor", None)
        if descriptor is not None and descriptor.annotation in _MAKERS:
            parameter._runtime_param = Plain(descriptor.parameter_info, descriptor.annotation)
