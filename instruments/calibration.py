"""Calibration certificates: what was found, how well, by whom, and until when it counts."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator

from standards.errors import CalibrationExpired

__all__ = ["Calibration"]


class Calibration(BaseModel):
    """One certificate. value and expanded_uncertainty are in `unit`; coverage_factor: k of the latter.

    quantity: key of what was calibrated, e.g. 'command_to_light_delay'. due: last day of validity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    number: str = Field(min_length=1)
    laboratory: str = Field(min_length=1)
    quantity: str
    value: float
    expanded_uncertainty: float = Field(gt=0)
    coverage_factor: float = Field(default=2.0, gt=0)
    unit: str
    issued: date
    due: date

    @model_validator(mode="after")
    def _ordered(self) -> Calibration:
        if self.due < self.issued:
            raise ValueError(f"due {self.due} is before issued {self.issued}")
        return self

    @property
    def standard_uncertainty(self) -> float:
        """Standard uncertainty in `unit`."""
        return self.expanded_uncertainty / self.coverage_factor

    def valid_on(self, day: date) -> bool:
        """True from the day of issue to the last day of validity, both included."""
        return self.issued <= day <= self.due

    def check(self, day: date, holder: str) -> None:
        """Raise CalibrationExpired unless the certificate is valid on `day`; holder: whose it is."""
        if not self.valid_on(day):
            raise CalibrationExpired(
                f"{holder}: certificate {self.number} of {self.laboratory} is valid from {self.issued} to "
                f"{self.due}, not on {day}. Mend: recalibrate, then enter the new certificate in the "
                "station file"
            )
