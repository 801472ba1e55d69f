"""Durations as the programs of operators print them."""


def span(seconds: float) -> str:
    """Return a duration with its two largest units, such as `2 h 5 min`; `0 s` for a negative one."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
