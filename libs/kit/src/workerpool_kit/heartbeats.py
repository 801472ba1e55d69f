"""Schedule of worker heartbeats, which makes heartbeats of many workers arrive in groups.

A single message wakes several threads of the scheduler; in a group of a hundred each costs a fraction of that. So
heartbeats are due at quarters of a second of Unix time, and each worker draws one of those within the period.
"""

import random

_GRID_S = 0.25
"""Seconds between two groups: at 500 heartbeats per second 125 in each, a few milliseconds of work."""


def heartbeat_phase(period_s: float) -> float:
    """Draw the moment within a period at which a worker sends its heartbeat, in seconds."""
    return random.randrange(max(int(period_s / _GRID_S), 1)) * _GRID_S


def until_heartbeat(now: float, period_s: float, phase_s: float) -> float:
    """Return the seconds from `now` (Unix seconds) until the next heartbeat.

    A heartbeat due within a twentieth of the period counts as sent: timers may fire early.
    """
    wait = period_s - (now - phase_s) % period_s
    return wait if wait > period_s / 20 else wait + period_s
