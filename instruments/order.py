"""In which order instruments are opened: what another depends on comes first. Closing goes the other way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

__all__ = ["DEPENDS", "Circle", "opening_order", "safety_order"]

#: Role -> the roles that are open before it, each with the reason. So in closing the lamp goes dark while the supply
#: still feeds it, and the supply is off before the relays let go of its lines.
DEPENDS: Mapping[str, Mapping[str, str]] = {
    "network_emulator": {},
    "relay_board": {"network_emulator": "relays on the network are reached through the emulated path"},
    "climate_chamber": {"relay_board": "relays connect the chamber's door contact and line"},
    "power_supply": {
        "relay_board": "relays connect the supply to what it feeds, and must not switch under load",
        "climate_chamber": "the camera is powered in air that is already controlled",
    },
    "light_box": {"power_supply": "a supply may feed the light"},
    "multimeter": {"power_supply": "it measures what the supply gives"},
    "lux_meter": {"light_box": "it measures what the light gives"},
    "flash_lamp": {
        "power_supply": "a supply may feed the lamp",
        "light_box": "the lamp flashes over steady light",
    },
    "oscilloscope": {"flash_lamp": "it is armed on the light of a lamp that is dark"},
}


class Circle(ValueError):
    """Roles that each wait for the next. roles: first and last are the same."""

    def __init__(self, roles: Sequence[str]) -> None:
        super().__init__(" after ".join(roles))
        self.roles = tuple(roles)


def opening_order(after: Mapping[str, Sequence[str]]) -> list[str]:
    """The roles of a station, what others depend on first. after: role -> roles that its file asks to be before it.

    Raises Circle.
    """
    graph: TopologicalSorter[str] = TopologicalSorter()
    for role in DEPENDS:
        if role in after:
            graph.add(role, *(other for other in (*_needed(role), *after[role]) if other in after))
    try:
        return list(graph.static_order())
    except CycleError as error:
        raise Circle(error.args[1][::-1]) from None


def _needed(role: str) -> set[str]:
    """Everything a role depends on, also through roles that a station may lack."""
    found: set[str] = set()
    for other in DEPENDS[role]:
        found |= {other, *_needed(other)}
    return found


def safety_order(opened: Sequence[str], first: Sequence[str] = ()) -> list[str]:
    """In which order the opened roles are made safe: `first`, then the others, last opened first."""
    named = [role for role in first if role in opened]
    return [*named, *(role for role in reversed(opened) if role not in named)]
