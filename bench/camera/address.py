"""How a camera is addressed, and where its password comes from: never from the command line."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

import keyring
from keyring.errors import KeyringError

from standards.errors import UsageError

__all__ = ["PASSWORD_VARIABLE", "CameraUrl", "Secret", "masked", "password_for"]

PASSWORD_VARIABLE = "BENCH_CAMERA_PASSWORD"
_PORTS = {"onvif": 80, "rtsp": 554}
_EXAMPLE = "write onvif://admin@192.0.2.10[:80][/PROFILE] or rtsp://admin@192.0.2.10[:554]/path"
_LONGEST = 2048
_SECRET_KEY = re.compile(r"(?i)(?:^|&)((?:password|passwd|pass|pwd|token)=)[^&]*")


class Secret:
    """A password that shows itself to nobody by accident."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The password in clear, for the digest that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__


@dataclass(frozen=True)
class CameraUrl:
    """A camera's address. user: decoded; path: with its query; of ONVIF '' or the token of the
    profile that is measured.

    str() gives it back; it never holds a password.
    """

    scheme: Literal["onvif", "rtsp"]
    user: str | None
    host: str
    port: int
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> CameraUrl:
        """Parse an address. Raises UsageError with an example."""
        if len(text) > _LONGEST or re.search(r"[\s\x00-\x1f\x7f]", text):
            raise UsageError(f"{_shown(text)} is no camera address: {_EXAMPLE}")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:  # its text may hold a piece of a password
            raise UsageError(f"{_shown(text)} is no camera address (host or port): {_EXAMPLE}") from None
        if parts.password is not None:
            raise UsageError(
                f"a password in the address would be seen by everyone on this machine: put it into ${PASSWORD_VARIABLE}, "
                "the keyring (service 'camcert') or type it when asked"
            )
        if parts.scheme not in _PORTS or not parts.hostname:
            raise UsageError(f"{_shown(text)} is no camera address: {_EXAMPLE}")
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if _SECRET_KEY.search(parts.query):
            raise UsageError(
                f"a password in the address's query would be recorded: put it into ${PASSWORD_VARIABLE} and leave "
                "it out of the address"
            )
        scheme: Literal["onvif", "rtsp"] = "onvif" if parts.scheme == "onvif" else "rtsp"
        user = unquote(parts.username or "")
        if not user.isprintable():  # a line break here would become one in a request
            raise UsageError(f"the user in {_shown(text)} holds characters that no user name has: {_EXAMPLE}")
        if scheme == "onvif" and (parts.query or "/" in parts.path.strip("/")):
            raise UsageError(
                f"{_shown(text)}: behind the host stands at most the token of a profile: {_EXAMPLE}"
            )
        return cls(scheme, user or None, parts.hostname, port or _PORTS[scheme], path)

    def without_user(self) -> CameraUrl:
        """The address as the record carries it."""
        return replace(self, user=None)

    @property
    def profile(self) -> str:
        """Token of the ONVIF profile that is asked for, '' for the main stream."""
        return unquote(self.path.strip("/")) if self.scheme == "onvif" else ""

    @property
    def authority(self) -> str:
        """host:port, an IPv6 host in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        return f"{self.scheme}://{user}{self.authority}{self.path}"


def _shown(text: str) -> str:
    """A mistyped address for a message: bounded, and without what may be a password."""
    return repr(re.sub(r"//.*@", "//***@", text, flags=re.DOTALL)[:60])


def masked(url: str) -> str:
    """An address that a camera reported, for the record: secrets in its query blotted out."""
    head, mark, query = url.partition("?")
    return head + mark + re.sub(r"(?i)(^|&)((?:password|passwd|pass|pwd|token)=)[^&]*", r"\1\2***", query)


def password_for(url: CameraUrl) -> Secret | None:
    """The camera's password: $BENCH_CAMERA_PASSWORD, else the keyring, else a prompt on a terminal.

    None where the address names no user and the variable is not set. Raises UsageError where a user is named
    and no password is found.
    """
    text = os.environ.get(PASSWORD_VARIABLE)
    if text is not None:
        return Secret(text)
    if url.user is None:
        return None
    try:
        text = keyring.get_password("camcert", f"{url.user}@{url.host}")
    except (KeyringError, RuntimeError):  # no backend on this machine is no password
        text = None
    if text is None and sys.stdin is not None and sys.stdin.isatty():
        text = getpass.getpass(f"Password of {url.user} at {url.host}: ")
    if text is None:
        raise UsageError(
            f"no password for {url.user} at {url.host}: set ${PASSWORD_VARIABLE}, or store it in the keyring"
        )
    return Secret(text)
