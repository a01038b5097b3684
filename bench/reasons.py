"""Why something was not measured, as the Chinese documents say it."""

from __future__ import annotations

from standards.errors import BenchError, CamcertError, CameraError, MeasurementRefused

__all__ = ["REASON_ZH"]

REASON_ZH: dict[type[CamcertError], str] = {
    MeasurementRefused: "测量条件不满足，未能测量",
    CameraError: "摄像机通信异常，未能测量",
    BenchError: "检测台故障，结果无效",
}
