"""The boundary to the person at the keyboard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from rich.console import Console

from standards.errors import CamcertError

__all__ = ["clear_errors"]

_ERRORS = Console(stderr=True)


def clear_errors(command: Callable[..., int]) -> Callable[..., None]:
    """Errors raised on purpose become one clear line and an exit code; Ctrl-C says how to go on."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        """The command with its errors made clear."""
        try:
            sys.exit(command(*args, **kwargs))
        except CamcertError as error:
            _ERRORS.print("[bold red]error:[/] ", end="")
            _ERRORS.print(str(error), highlight=False, soft_wrap=True, markup=False)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            _ERRORS.print(
                "[yellow]stopped[/]: what was journalled stays; go on with --resume", highlight=False
            )
            sys.exit(3)

    return wrapped
