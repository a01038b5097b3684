"""Children that Ctrl-C reaches, also where the tests themselves were started in the background of a shell."""

from __future__ import annotations

import signal

__all__ = ["interruptible"]


def interruptible() -> None:
    """For `preexec_fn`: a shell starts what runs in its background with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
