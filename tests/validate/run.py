"""``make validate``: the long proof, every procedure against known truth, in parts that resume.

Edges first, then pictures (resolution from rendered scenes), then whole bench runs through the wire.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import edge
import resolution
import summary
import wire


def main() -> int:
    """Run the proofs; 0 if every goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    codes = [
        edge.main(options.seed, options.out),
        resolution.main(options.seed, options.out),
        wire.main(options.seed, options.out),
    ]
    file = options.out / "validated.json"
    file.write_text(json.dumps(summary.validated(options.out, options.seed), indent=1) + "\n")
    print(f"{file}: copy it to bench/validated.json if the procedures changed and every goal is met")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
