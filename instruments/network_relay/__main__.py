"""``python -m instruments.network_relay``: one relay until SIGTERM or Ctrl-C.

Its first line on standard output is JSON: the control address and every port's own address.
"""

from __future__ import annotations

import argparse
import json
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from instruments.network_relay.control import Control
from instruments.network_relay.loop import Loop, PacketLog
from instruments.network_relay.tcp import TcpPort
from instruments.network_relay.udp import Address, UdpPort

__all__ = ["main"]


def _address(text: str) -> Address:
    """'host:port' with a numeric IPv4 host, or a name that has one."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    try:
        return socket.gethostbyname(host), int(port)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{host!r}: {error}") from None


def _forward(text: str) -> tuple[Address, Address]:
    """'listen=target'."""
    listen, sign, target = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not LISTEN=TARGET, e.g. 127.0.0.1:8554=192.0.2.10:554")
    return _address(listen), _address(target)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m instruments.network_relay", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--control", required=True, help="HOST:PORT of the control socket")
    for name, text in (
        ("tcp", "forward TCP connections"),
        ("rtsp", "forward RTSP, with the UDP ports its SETUP agrees on"),
        ("udp", "forward datagrams and their answers"),
    ):
        parser.add_argument(
            f"--{name}", type=_forward, action="append", default=[], metavar="LISTEN=TARGET", help=text
        )
    parser.add_argument("--log", type=Path, help="file for what became of every packet, JSON lines")
    parser.add_argument("--seed", type=int, default=0, help="of loss, jitter, reordering, duplication")
    parser.add_argument("--serial", default=socket.gethostname(), help="how it calls itself")
    return parser


def _listener(control: str) -> tuple[socket.socket, str]:
    """The control socket and its address as a station file is given it."""
    listener = socket.create_server(_address(control))
    host, port = listener.getsockname()[:2]
    return listener, f"TCPIP::{host}::{port}::SOCKET"


def main(arguments: list[str]) -> int:
    """Run a relay. Returns 0 when it is told to end, 2 for arguments that cannot be served."""
    parser = _parser()
    given = parser.parse_args(arguments)
    with ExitStack() as stack:
        try:
            loop = stack.enter_context(Loop(seed=given.seed, log=PacketLog(given.log)))
            tcp = [TcpPort(loop, listen, target) for listen, target in given.tcp]
            rtsp = [TcpPort(loop, listen, target, rtsp=True) for listen, target in given.rtsp]
            udp = [UdpPort(loop, listen, target) for listen, target in given.udp]
            listener, control = _listener(given.control)
        except (OSError, argparse.ArgumentTypeError) as error:
            print(f"network relay: {error}", file=sys.stderr)  # noqa: T201
            return 2

        def changed() -> None:
            for port in (*tcp, *rtsp):
                port.attend()

        Control(loop, listener, given.serial, changed)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.stop())
        ports: dict[str, Sequence[TcpPort | UdpPort]] = {"tcp": tcp, "rtsp": rtsp, "udp": udp}
        told = {name: ["{}:{}".format(*port.address) for port in found] for name, found in ports.items()}
        print(json.dumps({"control": control, **told}), flush=True)  # noqa: T201
        loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
