"""Which troubles of a host keep it from taking work: it parks, and takes work again by itself."""

from collections.abc import Mapping
from typing import Any

_NEEDED = (
    *("docker", "runtime", "disk", "memory", "workspace", "base_folder", "app_network", "journal"),
    *("clock", "internet"),
)
"""Components of health without which no app can run here. Trouble of pool or chain is no fault of the host."""
_NOT_LOOKED_AT = "not reached yet"


def refusal_of(components: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why the host takes no work, from its health components by name; empty while it can work."""
    for name in _NEEDED:
        component = components.get(name, {})
        details = component.get("details", {})
        problem = details.get("problem") or details.get("error") or ""
        if component.get("status", "UP") != "UP" and problem != _NOT_LOOKED_AT:
            step = details.get("next_step", "")
            return f"{name}: {problem or 'it is not in service'}{f' ({step})' if step else ''}"
    return ""
