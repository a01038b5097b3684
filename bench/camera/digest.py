"""Answering an RTSP server's demand for a user and password: Digest (RFC 7616), Basic only as a last resort.

Digest with SHA-256 is preferred to MD5. Basic sends the password in the clear, so it is used only where
the server offers nothing else (streams of old cameras are otherwise out of reach).
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from standards.errors import ProtocolViolation

__all__ = ["Authorizer", "Challenge", "parse_challenges"]

_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]*)(?=\s+[A-Za-z-]+\s*=|\s*$)")
_PARAMETER = re.compile(r'([A-Za-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))')
_MOST_CHALLENGES = 8


@dataclass(frozen=True)
class Challenge:
    """One way to authenticate that the server offers. scheme: lower case; parameters: lower-case keys."""

    scheme: str
    parameters: dict[str, str]

    @property
    def stale(self) -> bool:
        """The nonce was too old, the password was right: the one case in which to answer again."""
        return self.parameters.get("stale", "").lower() == "true"


def parse_challenges(headers: Sequence[str]) -> tuple[Challenge, ...]:
    """Every challenge in the WWW-Authenticate headers of one answer; a header may hold several."""
    found: list[Challenge] = []
    for header in headers[:_MOST_CHALLENGES]:
        starts = list(_SCHEME.finditer(header))
        ends = [*(m.start() for m in starts[1:]), len(header)]
        for start, end in zip(starts, ends, strict=False):
            text = header[start.end() : end]
            parameters = {
                m[1].lower(): re.sub(r"\\(.)", r"\1", m[2]) if m[2] is not None else m[3]
                for m in _PARAMETER.finditer(text)
            }
            found.append(Challenge(start[1].lower(), parameters))
    return tuple(found[:_MOST_CHALLENGES])


def _hasher(algorithm: str) -> Callable[[str], str] | None:
    name = algorithm.upper().removesuffix("-SESS")
    if name == "SHA-256":
        return lambda text: hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    if name == "MD5":
        return lambda text: hashlib.md5(
            text.encode("utf-8", "surrogateescape"), usedforsecurity=False
        ).hexdigest()
    return None


def _rank(challenge: Challenge) -> int:
    """Preference: 0 is not usable."""
    if challenge.scheme == "basic":
        return 1
    if challenge.scheme != "digest" or "nonce" not in challenge.parameters:
        return 0
    qop = challenge.parameters.get("qop")
    if qop is not None and "auth" not in [q.strip().lower() for q in qop.split(",")]:
        return 0
    algorithm = challenge.parameters.get("algorithm", "MD5")
    if _hasher(algorithm) is None:
        return 0
    return 3 if algorithm.upper().startswith("SHA-256") else 2


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass
class Authorizer:
    """Keeps user, password and the server's last challenge; makes the Authorization header of a request."""

    user: str
    password: str = field(repr=False)
    _challenge: Challenge | None = field(default=None, repr=False)
    _count: int = field(default=0, repr=False)

    @property
    def challenged(self) -> bool:
        """Whether a challenge was taken, so that requests carry credentials."""
        return self._challenge is not None

    def forget(self) -> None:
        """A new connection begins: wait to be asked, since an old nonce would look like a wrong password."""
        self._challenge = None

    def take(self, challenges: Sequence[Challenge]) -> Challenge:
        """Take the best challenge offered. Raises ProtocolViolation if none of them can be answered."""
        best = max(challenges, key=_rank, default=None)
        if best is None or _rank(best) == 0:
            offered = ", ".join(c.scheme for c in challenges) or "none"
            raise ProtocolViolation(f"401 without a challenge that can be answered (offered: {offered})")
        self._challenge, self._count = best, 0
        return best

    def header(self, method: str, uri: str) -> str | None:
        """Value of the Authorization header for one request; None before any challenge."""
        if self._challenge is None:
            return None
        if self._challenge.scheme == "basic":
            pair = f"{self.user}:{self.password}".encode()
            return "Basic " + base64.b64encode(pair).decode("ascii")
        return self._digest(self._challenge.parameters, method, uri)

    def _digest(self, offer: dict[str, str], method: str, uri: str) -> str:
        algorithm = offer.get("algorithm", "MD5")
        digest = _hasher(algorithm)
        if digest is None:
            raise ProtocolViolation(f"Digest algorithm {algorithm!r} is not known")
        realm, nonce = offer.get("realm", ""), offer["nonce"]
        cnonce = secrets.token_hex(8)
        secret = digest(f"{self.user}:{realm}:{self.password}")
        if algorithm.upper().endswith("-SESS"):
            secret = digest(f"{secret}:{nonce}:{cnonce}")
        request = digest(f"{method}:{uri}")
        fields = [
            f"username={_quoted(self.user)}",
            f"realm={_quoted(realm)}",
            f"nonce={_quoted(nonce)}",
            f"uri={_quoted(uri)}",
        ]
        if "qop" in offer:
            self._count += 1
            count = f"{self._count:08x}"
            fields.append(
                f'response="{digest(f"{secret}:{nonce}:{count}:{cnonce}:auth:{request}")}", '
                f'qop=auth, nc={count}, cnonce="{cnonce}"'
            )
        else:
            fields.append(f'response="{digest(f"{secret}:{nonce}:{request}")}"')
            if algorithm.upper().endswith("-SESS"):
                fields.append(f'cnonce="{cnonce}"')
        if "algorithm" in offer:
            fields.append(f"algorithm={algorithm}")
        if "opaque" in offer:
            fields.append(f"opaque={_quoted(offer['opaque'])}")
        return "Digest " + ", ".join(fields)
