"""The declared view: regions to be masked, and a reference picture: hashed in the plan, read into evidence in a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.documents import content_of
from standards.declaration import Declaration
from standards.errors import BadFile, CaptureFault, MeasurementRefused, UsageError
from standards.view import FrozenReference, MaskRegion

__all__ = ["SiteView", "frozen_view", "luma_of_png"]

_Luma = NDArray[np.uint8]
_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_SIDE = 16384  # pixels: no camera's picture is larger


def frozen_view(declared: Declaration, declaration: Path) -> dict[str, Any]:
    """What the plan's declaration holds of the view: the reference with its file's sha256, regions to mask; JSON values.

    Raises BadFile for a reference that is not there, lies outside the declaration's folder, or is no PNG picture.
    """
    found: dict[str, Any] = {}
    if declared.reference is not None:
        where = "reference.file"
        content = content_of(declaration.parent, declared.reference.file, declaration, where)
        if content is None:
            mend = "put the picture beside the declaration"
            raise BadFile(declaration, where, f"{declared.reference.file} is not there", mend)
        if luma_of_png(content) is None:
            mend = "save a whole picture of the stream as PNG"
            raise BadFile(declaration, where, f"{declared.reference.file} is no PNG picture", mend)
        frozen = FrozenReference(
            **declared.reference.model_dump(), sha256=hashlib.sha256(content).hexdigest()
        )
        found["reference"] = frozen.model_dump(mode="json", exclude_none=True)
    if declared.mask:
        found["mask"] = [one.model_dump(mode="json", exclude_none=True) for one in declared.mask]
    return found


def luma_of_png(content: bytes) -> _Luma | None:
    """(rows, columns) uint8 luma of a PNG picture, colour weighted as in ITU-R BT.601; None where it is none."""
    if not content.startswith(_PNG) or content[12:16] != b"IHDR":
        return None
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
    if not (0 < width <= _MOST_SIDE and 0 < height <= _MOST_SIDE):
        return None
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    return None if picture is None else np.asarray(picture, np.uint8)


@dataclass(frozen=True)
class SiteView:
    """What procedures about the view read. declared: the plan's declaration; declaration: its file, for the folder;
    put: into evidence, returns the digest; captured: digests of the live capture, once it was taken."""

    declared: dict[str, Any]
    declaration: Path | None
    put: Callable[[bytes], str]
    captured: Callable[[], tuple[str, ...]]

    @property
    def reference(self) -> FrozenReference:
        """The reference as the plan froze it. Raises MeasurementRefused where none was declared."""
        if "reference" not in self.declared:
            raise MeasurementRefused(
                "no reference picture: add [reference] with a PNG of this stream to the declaration"
            )
        return FrozenReference.model_validate(self.declared["reference"])

    @property
    def masks(self) -> tuple[MaskRegion, ...]:
        """The regions that have to be masked. Raises MeasurementRefused where none was declared."""
        if "mask" not in self.declared:
            raise MeasurementRefused(
                "no region that has to be masked: add [[mask]] with name, x, y, width and height to the declaration"
            )
        return tuple(MaskRegion.model_validate(one) for one in self.declared["mask"])

    @cached_property
    def _content(self) -> bytes:
        frozen = self.reference
        if self.declaration is None:
            raise UsageError("the plan holds a reference picture: give the --declaration that it lies beside")
        content = content_of(self.declaration.parent, frozen.file, self.declaration, "reference.file")
        if content is None or hashlib.sha256(content).hexdigest() != frozen.sha256:
            raise CaptureFault(
                f"{frozen.file} is not the picture that the plan was made with. Mend: put it back, or run anew"
            )
        return content

    @cached_property
    def picture(self) -> _Luma:
        """(rows, columns) uint8 luma of the reference.

        Raises MeasurementRefused without one, UsageError without the declaration's folder, CaptureFault if it was changed.
        """
        found = luma_of_png(self._content)
        if found is None:  # it was one when the plan was made: the plan is of another bench
            raise CaptureFault(f"{self.reference.file} cannot be decoded here")
        return found

    def evidence(self) -> tuple[str, ...]:
        """Digests of the live capture and of the reference, which is in evidence from now on."""
        return (*self.captured(), self.put(self._content))
