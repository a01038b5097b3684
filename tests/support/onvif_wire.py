"""A virtual ONVIF device before a still camera, asked by hand: what tests of single services share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from lxml import etree
from onvif_world import PASSWORD, StillCamera, device
from raw_soap import Answer, ask, envelope, token

from fixtures.simulated.onvif import OnvifDevice

__all__ = ["Wire", "wired"]


class Wire:
    """Requests to one service of a device. Answers and faults as they came."""

    def __init__(self, server: OnvifDevice, camera: StillCamera, space: str) -> None:
        self.server, self.camera, self.space = server, camera, space

    def ask(
        self, name: str, inside: str = "", *, user: str = "admin", password: str = PASSWORD,
        path: str = "/onvif/device_service", space: str = "", patience_s: float = 20.0,
    ) -> Answer:  # fmt: skip
        """One request; user '' asks without a login."""
        login = token(user, password, offset_s=self.camera.wall_offset_s) if user else ""
        request = envelope(name, inside, login, space or self.space)
        return ask(self.server.port, request, path=path, patience_s=patience_s)

    def get(self, name: str, inside: str = "", **more: str) -> etree._Element:
        """The answer's element; the request has to succeed."""
        found = self.ask(name, inside, **more)  # type: ignore[arg-type]
        assert found.status == 200, found.body
        return found.xml()[-1][0]

    def fault(self, name: str, inside: str = "", **more: str) -> str:
        """The innermost subcode of the fault that a request gets, without its prefix."""
        found = self.ask(name, inside, **more)  # type: ignore[arg-type]
        assert found.status in (400, 401, 500), found.body
        values = [e.text or "" for e in found.xml().iter("{http://www.w3.org/2003/05/soap-envelope}Value")]
        return values[-1].rpartition(":")[2]


@contextmanager
def wired(space: str, camera: StillCamera | None = None) -> Generator[Wire]:
    """A device that runs, and a wire to one of its services."""
    one = camera or StillCamera(head=True)
    with device(one) as server:
        yield Wire(server, one, space)
