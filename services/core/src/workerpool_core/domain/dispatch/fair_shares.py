"""Start-time fair queueing: each competitor gets the same share of the slots' time, however much it asks for.

The time that an assignment may take is charged to its requester and to its deal. The competitor whose next assignment
starts earliest in virtual time is served first. An idle one starts at the present virtual time, so idleness earns no
credit (Goyal, Vin, Cheng: Start-time Fair Queueing, 1996).
"""

from dataclasses import dataclass, field

_SWEEP_ABOVE = 1_024


@dataclass(slots=True)
class FairShares:
    """Virtual times of competitors by name. `now` is the start of the assignment that was made last."""

    now: float = 0.0
    _finishes: dict[str, float] = field(default_factory=dict)
    _sweep_at: int = _SWEEP_ABOVE

    def start(self, name: str) -> float:
        """Return the virtual time at which the next assignment of a competitor starts."""
        finish = self._finishes.get(name, 0.0)
        return finish if finish > self.now else self.now

    def charge(self, name: str, cost: float) -> float:
        """Charge an assignment that may take `cost` seconds; return when the next one of the competitor starts."""
        start = self.now = self.start(name)
        finish = self._finishes[name] = start + cost
        if len(self._finishes) > self._sweep_at:
            # A competitor without an entry starts at the present time too.
            self._finishes = {each: end for each, end in self._finishes.items() if end > start}
            self._sweep_at = max(2 * len(self._finishes), _SWEEP_ABOVE)
        return finish
