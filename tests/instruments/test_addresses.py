"""One device has one name, however its address is written; another has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from instruments.addresses import device_at


@pytest.mark.parametrize(
    "spellings",
    [
        (
            "TCPIP::127.0.0.1::5025::SOCKET",
            "TCPIP0::127.0.0.1::5025::SOCKET",
            "tcpip::localhost::5025::socket#2",
        ),
        (
            "TCPIP::127.0.0.1::hislip0::INSTR",
            "TCPIP0::127.0.0.1::hislip0,4880",
            "TCPIP::127.1::HiSLIP0::INSTR#3",
        ),
        ("TCPIP::127.0.0.1::INSTR", "TCPIP::127.0.0.1", "TCPIP0::127.0.0.1::inst0::INSTR"),
        ("/dev/null", "ASRL/dev/null::INSTR", "asrl/dev/null", "/dev/null#13"),
    ],
)
def test_spellings_of_one(spellings: tuple[str, ...]) -> None:
    assert len({device_at(address) for address in spellings}) == 1


def test_a_link_is_the_device(tmp_path: Path) -> None:
    link = tmp_path / "dmm"
    link.symlink_to("/dev/null")
    assert device_at(str(link)) == device_at(f"ASRL{link}::INSTR") == "/dev/null"


def test_others_are_others() -> None:
    addresses = (
        "TCPIP::127.0.0.1::5025::SOCKET", "TCPIP::127.0.0.1::5026::SOCKET", "TCPIP::127.0.0.2::5025::SOCKET",
        "TCPIP::127.0.0.1::hislip0::INSTR", "TCPIP::127.0.0.1::hislip1::INSTR", "TCPIP::127.0.0.1::hislip0,4881::INSTR",
        "TCPIP::127.0.0.1::INSTR", "TCPIP::127.0.0.1::inst1::INSTR", "/dev/null", "/dev/zero", "USB0::1::2::A::INSTR",
        "USB0::1::2::B::INSTR", "GPIB0::5::INSTR", "eth0,eth1",
    )  # fmt: skip
    assert len({device_at(address) for address in addresses}) == len(addresses)
