"""Camera addresses and where passwords come from; a password must never be shown."""

from __future__ import annotations

import io
from pathlib import Path

import keyring
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringError

from bench.camera.address import PASSWORD_VARIABLE, CameraUrl, Secret, password_for
from standards.errors import UsageError

ADMIN = CameraUrl("onvif", "admin", "192.0.2.10", 80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("onvif://admin@192.0.2.10", ADMIN),
        ("ONVIF://admin@192.0.2.10:80", ADMIN),
        ("onvif://192.0.2.10:8080", CameraUrl("onvif", None, "192.0.2.10", 8080)),
        ("rtsp://gate3.example/live?ch=1&s=0", CameraUrl("rtsp", None, "gate3.example", 554, "/live?ch=1&s=0")),
        ("rtsp://u@[2001:db8::1]:8554/a", CameraUrl("rtsp", "u", "2001:db8::1", 8554, "/a")),
    ],
)
def test_parses_addresses(text: str, expected: CameraUrl) -> None:
    assert CameraUrl.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.10",
        "http://192.0.2.10",
        "onvif://",
        "rtsp://admin@",
        "rtsp://192.0.2.10:port/",
        "rtsp://192.0.2.10:70000/",
        "rtsp://192.0.2.10:-1/",
        "rtsp://[2001:db8::1/a",
        "rtsp://192.0.2.10/a b",
        "rtsp://192.0.2.10/a\r\nTEARDOWN",
        "rtsp://192.0.2.10/\x00",
        "rtsp://192.0.2.10/" + "a" * 3000,
    ],
)
def test_refuses_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match=r"onvif://admin@192\.0\.2\.10"):
        CameraUrl.parse(text)


@pytest.mark.parametrize("password", ["geheim", "", "p%40ss"])
def test_a_password_in_the_address_is_refused_and_not_repeated(password: str) -> None:
    with pytest.raises(UsageError, match=PASSWORD_VARIABLE) as refused:
        CameraUrl.parse(f"rtsp://admin:{password}@192.0.2.10/main")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("place", ["h:port/", "h:70000", "h/a b", "[h/", "h/" + "a" * 3000])
@pytest.mark.parametrize("password", ["geheim", "ge/heim", "geheim#?"])
def test_a_mistyped_address_is_refused_without_its_password(place: str, password: str) -> None:
    with pytest.raises(UsageError) as refused:
        CameraUrl.parse(f"rtsp://admin:{password}@{place}")
    assert "heim" not in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    for candidate in (text, f"rtsp://{text}", f"onvif://admin@{text}"):
        try:
            url = CameraUrl.parse(candidate)
        except UsageError:
            continue
        assert 0 < url.port < 65536
        assert "\n" not in str(url)


HOSTS = st.sampled_from(["192.0.2.10", "camera-3.example", "2001:db8::1"])


@given(
    st.sampled_from(["onvif", "rtsp"]),
    st.none() | st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True),
    HOSTS,
    st.integers(1, 65535),
    st.sampled_from(["", "/main", "/a/b?c=d&e=f"]),
)
def test_str_is_parsed_back(scheme: str, user: str | None, host: str, port: int, path: str) -> None:
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    url = CameraUrl.parse(f"{scheme}://{f'{user}@' if user else ''}{authority}{path}")
    assert (url.scheme, url.user, url.host, url.port, url.path) == (scheme, user, host, port, path)
    assert CameraUrl.parse(str(url)) == url
    assert url.without_user() == CameraUrl.parse(f"{scheme}://{authority}{path}")
    assert "@" not in str(url.without_user())


def test_secret_hides_itself() -> None:
    secret = Secret("geheim")
    assert secret.reveal() == "geheim"
    assert "geheim" not in f"{secret} {secret!r} {[secret]} {vars(secret).keys()}"


class _Keyring(KeyringBackend):
    """A keyring of one entry; broken: as on a machine without a desktop."""

    priority = 1.0  # type: ignore[assignment]  # keyring declares it as a property of the class

    def __init__(self, entries: dict[tuple[str, str], str], *, broken: bool = False) -> None:
        super().__init__()
        self._entries, self._broken = entries, broken

    def get_password(self, service: str, username: str) -> str | None:
        if self._broken:
            raise KeyringError("no backend")
        return self._entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def without_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())


def _reveal(secret: Secret | None) -> str | None:
    return secret.reveal() if secret is not None else None


def test_password_order(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(_Keyring({("camcert", "admin@192.0.2.10"): "from keyring"}))
    try:
        assert _reveal(password_for(ADMIN)) == "from keyring"
        assert password_for(CameraUrl("onvif", "admin", "192.0.2.11", 80)) is None
        assert password_for(ADMIN.without_user()) is None
        monkeypatch.setenv(PASSWORD_VARIABLE, "from variable")
        assert _reveal(password_for(ADMIN)) == "from variable"
        monkeypatch.setenv(PASSWORD_VARIABLE, "")
        assert _reveal(password_for(ADMIN)) == "", "an empty password is a password"
    finally:
        keyring.set_keyring(before)


def test_without_a_keyring_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(_Keyring({}, broken=True))
    asked = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return "typed"

    monkeypatch.setattr("getpass.getpass", getpass)
    try:
        assert password_for(ADMIN) is None, "no terminal: nobody is asked"
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        assert _reveal(password_for(ADMIN)) == "typed"
        assert asked == ["Password of admin at 192.0.2.10: "]
        monkeypatch.setattr("sys.stdin", None)
        assert password_for(ADMIN) is None
    finally:
        keyring.set_keyring(before)
