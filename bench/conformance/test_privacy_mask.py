"""Privacy masks over the declared regions: whether they are there and cover."""

from __future__ import annotations

from bench.live import Live
from bench.measure.privacy_mask import Region, mask_border, mask_coverage, see_masks
from bench.procedures import requirement
from bench.session import Judge
from bench.site_view import SiteView
from standards.thresholds.privacy_mask import mask_limits


@requirement("picture.privacy_mask_coverage", "picture.privacy_mask_border")
def test_privacy_mask(live: Live, site_view: SiteView, judge: Judge) -> None:
    """Share of each declared region that gives nothing away in any picture of the capture, and how far the mask's border
    lies off the declared one: of the region, or side, where it is worst."""
    regions = [Region(one.name, one.corners) for one in site_view.masks]
    seen = see_masks(live.stack.pictures, regions, mask_limits())
    judge(mask_coverage(seen))
    judge(mask_border(seen))
