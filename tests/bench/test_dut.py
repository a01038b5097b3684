"""A run goes on only with the camera that it was begun with."""

from __future__ import annotations

import pytest

from bench.camera.address import CameraUrl
from bench.dut import same_camera
from standards.errors import PlanMismatch

URL = CameraUrl.parse("onvif://admin@192.0.2.10")
BEGUN = {"manufacturer": "M", "model": "C1", "serial": "7", "firmware": "1.0"}


def test_a_new_firmware_is_the_same_camera() -> None:
    same_camera(BEGUN, BEGUN | {"firmware": "1.1"}, URL)  # the report shows start and end
    same_camera({}, {}, URL)  # plain RTSP tells no identity


@pytest.mark.parametrize("key", ["manufacturer", "model", "serial"])
def test_another_camera_is_refused(key: str) -> None:
    with pytest.raises(PlanMismatch, match=f"{key} was .*, is 'other'.*another --out"):
        same_camera(BEGUN, BEGUN | {key: "other"}, URL)
