"""When a worker gives its signs of life, so that those of many workers come in groups.

A message that comes alone wakes several threads of the scheduler; one of a hundred at the same moment costs a fraction
of that. So beats are due at quarters of a second of Unix time, and workers choose among those of a period by chance.
"""

import random

_GRID_S = 0.25
"""Time between two groups: at 500 beats a second 125 in each, which keep the scheduler busy for some milliseconds."""


def heartbeat_phase(period_s: float) -> float:
    """Return the moment within a period at which a worker beats, in seconds, chosen by chance."""
    return random.randrange(max(int(period_s / _GRID_S), 1)) * _GRID_S


def until_heartbeat(now: float, period_s: float, phase_s: float) -> float:
    """Return the seconds from `now` (Unix seconds) until the next beat.

    A moment that is less than a twentieth of the period away counts as the present one: timers ring early.
    """
    wait = period_s - (now - phase_s) % period_s
    return wait if wait > period_s / 20 else wait + period_s
