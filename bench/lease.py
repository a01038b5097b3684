"""The lease of a camera: two runs never share one, whatever name, port or protocol it is reached by."""

from __future__ import annotations

import socket
from pathlib import Path

from bench.camera.address import CameraUrl
from instruments.lease import Lease, lease_path

__all__ = ["camera_lease", "lease_file"]


def lease_file(camera: CameraUrl) -> Path:
    """The lease file of one camera on this machine.

    On loopback the port belongs to it: there virtual cameras stand side by side.
    """
    try:
        address = socket.gethostbyname(camera.host)
    except (OSError, UnicodeError):
        address = camera.host
    alone = not address.startswith("127.")
    return lease_path("camera", address if alone else f"{address}:{camera.port}")


def camera_lease(camera: CameraUrl, run: Path) -> Lease:
    """The lease of a camera for a run, to be entered."""
    return Lease(lease_file(camera), f"the camera {camera}", run=str(run.resolve()))
