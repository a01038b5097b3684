"""A capture as evidence: its files by name, and the capture back from them, exact to the last bit."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import PACKET, REPORT, UNIT, Capture, WireEvent
from standards.errors import RecordError

__all__ = ["STREAMS", "TABLES", "WIRE", "from_evidence", "from_folder", "to_evidence"]

#: The access units, by codec: any player shows them. TABLES: packets, reports, units; WIRE: everything else.
STREAMS = {"h264": "stream.h264", "h265": "stream.h265", "mjpeg": "stream.mjpeg"}
TABLES, WIRE = "wire.npz", "wire.json"
_SCHEMA = "camcert/capture/1"
_ARRAYS = {"packets": PACKET, "reports": REPORT, "units": UNIT}


def to_evidence(capture: Capture) -> dict[str, bytes]:
    """The files of a capture by name. The same capture always gives the same bytes."""
    tables = io.BytesIO()
    np.savez_compressed(tables, packets=capture.packets, reports=capture.reports, units=capture.units)
    plain = {
        field.name: getattr(capture, field.name)
        for field in dataclasses.fields(capture)
        if field.name not in (*_ARRAYS, "stream", "events")
    }
    plain["events"] = [[e.time_ns, e.kind, e.text] for e in capture.events]
    text = json.dumps({"schema": _SCHEMA, **plain}, ensure_ascii=False, indent=1, sort_keys=True)
    return {
        STREAMS[capture.codec]: capture.stream,
        TABLES: tables.getvalue(),
        WIRE: text.encode("utf-8", "surrogatepass"),
    }


def from_folder(folder: Path) -> Capture:
    """The capture whose files lie in a folder. Raises RecordError if one is missing or unfit."""
    names = (name for name in (*STREAMS.values(), TABLES, WIRE) if (folder / name).is_file())
    return from_evidence({name: (folder / name).read_bytes() for name in names})


def from_evidence(files: Mapping[str, bytes]) -> Capture:
    """The capture that to_evidence() was given. Raises RecordError if a file is missing or unfit."""
    missing = {TABLES, WIRE} - set(files)
    if missing:
        raise RecordError(f"the evidence of a capture lacks {', '.join(sorted(missing))}")
    try:
        plain: dict[str, Any] = json.loads(files[WIRE].decode("utf-8", "surrogatepass"))
        if plain.pop("schema") != _SCHEMA:
            raise RecordError(f"{WIRE} is not of schema {_SCHEMA}")
        stream = STREAMS[plain["codec"]]
        if stream not in files:
            raise RecordError(f"the evidence of a capture lacks {stream}")
        plain["events"] = tuple(WireEvent(t, kind, text) for t, kind, text in plain["events"])
        plain |= _tables(files[TABLES])
        capture = Capture(**plain, stream=files[stream])
    except (ValueError, KeyError, TypeError, AttributeError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise RecordError(f"the evidence of a capture cannot be read: {error}") from error
    _check(capture)
    return capture


def _tables(data: bytes) -> dict[str, NDArray[np.void]]:
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        tables = {name: archive[name] for name in _ARRAYS}
    for name, kind in _ARRAYS.items():
        if tables[name].dtype != kind or tables[name].ndim != 1:
            raise RecordError(f"{TABLES}: {name} is no table of its kind")
    return tables


def _check(capture: Capture) -> None:
    """Places and indexes point inside the capture: what reads it later relies on that."""
    units, packets = capture.units, capture.packets
    ends = units["offset"] + units["size"]
    if len(units) and (
        units["offset"].min() < 0 or units["size"].min() < 0 or ends.max() > len(capture.stream)
    ):
        raise RecordError(f"{TABLES}: an access unit lies outside its stream")
    if len(packets) and (packets["unit"].min() < 0 or packets["unit"].max() >= len(units)):
        raise RecordError(f"{TABLES}: a packet of no access unit")
