"""Every error camcert raises on purpose, ordered by whose fault it is.

::

    CamcertError
    ├── CameraError            the device under test, or the network in front of it
    │   ├── CameraUnreachable      nothing answers at the address
    │   ├── CameraDenied           wrong user or password (never retried: cameras lock themselves)
    │   ├── NoVideo                a stream was promised and none came
    │   ├── ProtocolViolation      what came over the wire breaks RTSP, RTP, SOAP or the codec
    │   └── LimitExceeded          it sent more, or for longer, than the bench's bound allows
    ├── BenchError             the bench: never a product failure, never a pass
    │   ├── InstrumentError        an instrument refused, failed or was silent
    │   ├── CalibrationExpired     a certificate was not valid on the day
    │   ├── CheckFailed            an interim check, or the air in the room, is outside its tolerance
    │   ├── CaptureFault           the bench itself lost data (socket or disk overflow)
    │   ├── MeasurementRefused     the picture or the series does not allow this measurement
    │   └── RecordError            the record of a run is damaged, altered or does not fit its plan
    └── UsageError             the person at the keyboard; the message names file, key and mend
        ├── BadFile                a TOML or JSON file with an unknown key, a wrong type or value
        ├── UnknownName            no such scheme, clause, chart …
        ├── ConsentMissing         an intrusive or disruptive item without --allow
        └── PlanMismatch           --resume with another plan than the one that was frozen
"""

from __future__ import annotations

from pathlib import Path

from standards.places import line_of

__all__ = [
    "BadFile", "BenchError", "CalibrationExpired", "CamcertError", "CameraDenied", "CameraError",
    "CameraUnreachable", "CaptureFault", "CheckFailed", "ConsentMissing", "InstrumentError", "LimitExceeded",
    "MeasurementRefused", "NoVideo", "PlanMismatch", "ProtocolViolation", "RecordError",
    "UnknownName", "UsageError",
]  # fmt: skip


class CamcertError(Exception):
    """Root of all errors raised on purpose. exit_code: what the command line returns for it."""

    exit_code = 3


class CameraError(CamcertError):
    """The camera, or the network in front of it, is at fault."""


class CameraUnreachable(CameraError):
    """Nothing answers at the camera's address within the time allowed."""


class CameraDenied(CameraError):
    """The camera refused the user or the password. Not retried, so that no camera locks itself."""


class NoVideo(CameraError):
    """The camera answered, but no video arrived within the time allowed."""


class ProtocolViolation(CameraError):
    """What came over the wire breaks its protocol; the message names the rule and the offence."""


class LimitExceeded(CameraError):
    """The camera sent more, or for longer, than the bound that protects the bench."""


class BenchError(CamcertError):
    """The bench is at fault: reported as a bench fault, never as a product failure."""


class InstrumentError(BenchError):
    """An instrument refused a command, failed, or did not answer."""


class CalibrationExpired(BenchError):
    """A calibration certificate was not valid on the day of the run."""


class CheckFailed(BenchError):
    """An interim check of an instrument, or the air around the camera, lies outside its tolerance."""


class CaptureFault(BenchError):
    """The bench itself lost data: socket overflow, disk full, a stopped clock."""


class MeasurementRefused(BenchError):
    """The data do not allow this measurement; the message says what is missing and what would help."""


class RecordError(BenchError):
    """The record of a run is damaged, altered, or does not belong to its plan."""


class UsageError(CamcertError):
    """The user can mend this: the message names the file, the key and the mend."""

    exit_code = 2


class BadFile(UsageError):
    """A configuration file does not fit its schema."""

    def __init__(self, path: Path | str, key: str, problem: str, mend: str) -> None:
        """path: the file; key: dotted key inside it; problem: what is wrong; mend: what to do.

        The line is looked up where the file is TOML.
        """
        self.path, self.key, self.problem, self.mend = str(path), key, problem, mend
        self.line = _line(Path(path), key)
        place = str(path) if self.line is None else f"{path}:{self.line}"
        where = f"{place}: {key}" if key else place
        super().__init__(f"{where}: {problem}. Mend: {mend}")


def _line(path: Path, key: str) -> int | None:
    """Where the key stands, if the file is TOML and can still be read."""
    if not key or path.suffix != ".toml":
        return None
    try:
        return line_of(path.read_text("utf-8"), key)
    except (OSError, ValueError):
        return None


class UnknownName(UsageError):
    """A name that is not in its list; the message lists the near ones."""


class ConsentMissing(UsageError):
    """Something would change or interrupt the camera and the command line did not allow it."""


class PlanMismatch(UsageError):
    """The plan on disk is not the plan of this command; the message says what differs."""
