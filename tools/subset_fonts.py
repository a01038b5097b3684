"""Make reports/fonts/*.otf from Debian's fonts-noto-cjk. Run once; the results are in the repository.

    python tools/subset_fonts.py [/usr/share/fonts/opentype/noto]

Regular holds what data may bring (names of people, places and makers): all 20,902 characters of the
Unified Repertoire, a few later ones that names use, Latin, Greek and symbols. Bold holds what the
templates set in bold: GB/T 2312 and the same symbols.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

SOURCE = Path("/usr/share/fonts/opentype/noto")
TARGET = Path(__file__).parent.parent / "reports" / "fonts"
FAMILY = "Noto Sans CJK SC"
#: Symbols: Latin, Greek, punctuation, super- and subscripts, letterlike, numbers, arrows, mathematics,
#: enclosed, shapes, CJK punctuation and units, full-width forms.
BLOCKS = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x391, 0x3C9), (0x2000, 0x206F), (0x2070, 0x209F), (0x20A0, 0x20BF),
    (0x2100, 0x218F), (0x2190, 0x22FF), (0x2460, 0x24FF), (0x25A0, 0x26FF), (0x3000, 0x303F),
    (0x3300, 0x33FF), (0xFF00, 0xFFEF),
)  # fmt: skip
UNIFIED = (0x4E00, 0x9FFF)
NAMES = "䶮㛃㛹㬎䴙䴘䶊𬭎𬱖𫖮𬭼𬬮𬯎𫠆𣲗𬇹𫍣𫛭"


def symbols() -> set[int]:
    """Code points of BLOCKS and NAMES."""
    return {point for first, last in BLOCKS for point in range(first, last + 1)} | set(map(ord, NAMES))


def gb2312() -> set[int]:
    """Code points of GB/T 2312-1980."""
    rows = (bytes((high, low)) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    return {ord(text) for row in rows if (text := row.decode("gb2312", errors="ignore"))}


def subset(collection: Path, points: Iterable[int], target: Path) -> None:
    """One font of the collection, the simplified Chinese one, reduced to some code points."""
    with TTCollection(collection) as fonts:
        font: TTFont = next(f for f in fonts if str(f["name"].getDebugName(1)) == FAMILY)
        options = Options()
        options.hinting = False
        options.layout_features = ["kern", "liga", "ccmp"]
        options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
        options.recalc_timestamp = False
        maker = Subsetter(options)
        maker.populate(unicodes=points)
        maker.subset(font)
        font.save(target)


def main() -> None:
    """Make both files and say how large they are."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE
    TARGET.mkdir(parents=True, exist_ok=True)
    unified = set(range(UNIFIED[0], UNIFIED[1] + 1))
    for weight, points in (("Regular", gb2312() | symbols() | unified), ("Bold", gb2312() | symbols())):
        target = TARGET / f"NotoSansCJKsc-{weight}-subset.otf"
        subset(source / f"NotoSansCJK-{weight}.ttc", points, target)
        print(f"{target.name}: {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
