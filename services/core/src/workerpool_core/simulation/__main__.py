"""Run seeds: `python -m workerpool_core.simulation --seeds 2000`, or one of them with a trace: `--seed 17`."""

import argparse
import sys
import time
import traceback
from collections import Counter

from .world import World


def _trace(at: float, what: str, fields: dict[str, object]) -> None:
    details = " ".join(f"{name}={value}" for name, value in fields.items())
    sys.stdout.write(f"{at:9.3f} {what:14} {details}\n")


def replay(seed: int) -> int:
    """Run one seed with a trace; return the exit code."""
    try:
        summary = World(seed, _trace).run()
    except Exception:
        traceback.print_exc()
        return 1
    sys.stdout.write(f"{summary}\n")
    return 0


def run(first: int, count: int) -> int:
    """Run seeds until one fails; return the exit code."""
    started = time.monotonic()
    kinds: Counter[str] = Counter()
    events = completed = failed = 0
    for seed in range(first, first + count):
        try:
            summary = World(seed).run()
        except Exception as error:
            sys.stdout.write(f"seed {seed} fails: {type(error).__name__}: {error}\n")
            sys.stdout.write(f"replay it: python -m workerpool_core.simulation --seed {seed}\n")
            return 1
        kinds[summary.kind] += 1
        events += summary.events
        completed += summary.completed
        failed += summary.failed
    took = time.monotonic() - started
    sys.stdout.write(
        f"{count} seeds in {took:.1f} s: {count / took:.1f} seeds/s, {events / took:,.0f} events/s; "
        f"{dict(kinds)}; tasks completed {completed}, failed {failed}\n"
    )
    return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m workerpool_core.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run this one only, with a trace")
    options = parser.parse_args()
    return replay(options.seed) if options.seed is not None else run(options.first, options.seeds)


if __name__ == "__main__":
    sys.exit(main())
