"""docs/instruments.md has the table that the drivers themselves give; run as a program this prints it anew."""

from __future__ import annotations

from pathlib import Path

from instruments.drivers import DRIVERS, ROLES, load_driver

PAGE = Path(__file__).parents[2] / "docs" / "instruments.md"
HEAD = (
    "| role | driver | models | protocol | written from | verified on hardware |\n|---|---|---|---|---|---|\n"
)


def table() -> str:
    """One line a driver, by role in the order of ROLES."""
    lines = []
    for role in ROLES:
        for name in DRIVERS:
            about = load_driver(name).about
            if about.role == role:
                seen = about.hardware or "not verified on hardware"
                cells = (role, f"`{name}`", about.models, about.protocol, about.source, seen)
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(lines) + "\n"


def test_the_page_has_the_table_of_the_drivers() -> None:
    command = "PYTHONPATH=. python tests/instruments/test_instrument_docs.py"
    assert table() in PAGE.read_text("utf-8"), f"put the output of `{command}` into {PAGE}"


if __name__ == "__main__":
    print(table(), end="")
