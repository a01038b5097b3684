"""The view as it was accepted: how far it has turned since (Order 230, Article 10)."""

from __future__ import annotations

from bench.live import Live
from bench.measure.view_drift import coverage_shift, direction_shift, match_views
from bench.procedures import requirement
from bench.session import Judge
from bench.site_view import SiteView
from standards.errors import MeasurementRefused


@requirement("mounting.coverage_shift", "mounting.direction_shift")
def test_view(live: Live, site_view: SiteView, judge: Judge) -> None:
    """What the capture's last picture no longer covers of the declared reference picture, and the turn since: that needs the
    field of view, which is declared too."""
    match = match_views(site_view.picture, live.stack.pictures[-1])
    judge.about(site_view.evidence(), coverage_shift(match))
    reference = site_view.reference
    if reference.hfov_deg is None:
        raise MeasurementRefused("a turn in degrees needs hfov_deg under [reference] of the declaration")
    turn = direction_shift(match, hfov_deg=reference.hfov_deg, hfov_u=reference.hfov_u)
    judge.about(site_view.evidence(), turn)
