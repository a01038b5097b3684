"""Camera addresses and where the password comes from."""

from __future__ import annotations

import getpass
import sys

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.errors import NoKeyringError

from bench.camera.address import PASSWORD_VARIABLE, CameraUrl, Secret, password_for
from standards.errors import UsageError


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "path"),
    [
        ("onvif://admin@192.0.2.10", "admin", "192.0.2.10", 80, ""),
        ("onvif://192.0.2.10:8080", None, "192.0.2.10", 8080, ""),
        ("rtsp://admin@cam.example/live/main?x=1", "admin", "cam.example", 554, "/live/main?x=1"),
        ("onvif://o%40p@[fe80::1]:81", "o@p", "fe80::1", 81, ""),
    ],
)
def test_addresses_and_back(text: str, user: str | None, host: str, port: int, path: str) -> None:
    url = CameraUrl.parse(text)
    assert (url.user, url.host, url.port, url.path) == (user, host, port, path)
    assert CameraUrl.parse(str(url)) == url
    assert "@" not in str(url.without_user())


@pytest.mark.parametrize("text", [
    "", "192.0.2.10", "http://192.0.2.10", "onvif://", "onvif://a b", "rtsp://a:99999/", "rtsp://[::1", "rtsp://a:b/",
    "onvif://" + "a" * 3000, "onvif://a\n", "rtsp://u%0D%0AX@a/", "rtsp://u%00@a/",
])  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="onvif://admin@"):
        CameraUrl.parse(text)


@pytest.mark.parametrize("text", [
    "onvif://admin:hunter2@192.0.2.10", "onvif://admin:hunter2@h:99999", "http://admin:hunter2@h",
    "onvif://admin:hunter2 x@h", "onvif://admin:hunter2@[h", "onvif://admin:hunter2/x@h",
])  # fmt: skip
def test_a_password_in_the_address_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        CameraUrl.parse(text)
    assert "hunter2" not in str(caught.value)


def test_the_mend_for_a_password_names_the_variable() -> None:
    with pytest.raises(UsageError, match=r"\$BENCH_CAMERA_PASSWORD"):
        CameraUrl.parse("onvif://admin:@192.0.2.10")


@given(st.text(max_size=80).map(lambda rest: "onvif://" + rest))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        url = CameraUrl.parse(text)
    except UsageError:
        return
    assert CameraUrl.parse(str(url)) == url and 0 < url.port < 65536


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars(secret).keys()}"
    assert secret.reveal() == "hunter2"


class _Vault:
    """The keyring and the terminal of one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = self.terminal = False
        monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
        monkeypatch.setattr(keyring, "get_password", self._get)
        monkeypatch.setattr(getpass, "getpass", self._prompt)
        monkeypatch.setattr(sys, "stdin", self)

    def isatty(self) -> bool:
        return self.terminal

    def _get(self, service: str, name: str) -> str | None:
        if self.broken:
            raise NoKeyringError
        return self.kept.get((service, name))

    def _prompt(self, text: str) -> str:
        self.asked.append(text)
        return "typed"


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> _Vault:
    return _Vault(monkeypatch)


URL = CameraUrl.parse("onvif://admin@192.0.2.10")


def _found(url: CameraUrl = URL) -> str | None:
    secret = password_for(url)
    return secret.reveal() if secret is not None else None


def test_the_variable_comes_first(vault: _Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.kept["camcert", "admin@192.0.2.10"] = "kept"
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert _found() == "from the environment"


def test_then_the_keyring_then_a_prompt_on_a_terminal_only(vault: _Vault) -> None:
    vault.terminal = True
    vault.kept["camcert", "admin@192.0.2.10"] = "kept"
    assert _found() == "kept" and vault.asked == []
    vault.broken = True
    assert _found() == "typed" and "admin" in vault.asked[0]
    vault.terminal = False
    with pytest.raises(UsageError, match=r"no password for admin at 192.0.2.10: set \$BENCH_CAMERA_PASSWORD"):
        _found()
    assert len(vault.asked) == 1


def test_nobody_is_asked_for_the_password_of_no_user(vault: _Vault) -> None:
    vault.terminal = True
    assert _found(URL.without_user()) is None and vault.asked == []
