"""Run the simulation: `--seeds 2000` runs many seeds, `--seed 17` runs one with a trace."""

import argparse
import sys
import traceback

from workerpool_core.simulation.seeds import SeedFailed, run
from workerpool_core.simulation.world import World


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


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workerpool_core.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="number of seeds to run (default: 2000)")
    parser.add_argument("--first", type=int, default=1, help="first seed (default: 1)")
    parser.add_argument("--seed", type=int, help="run only this seed, with a trace")
    options = parser.parse_args()
    if options.seed is not None:
        return replay(options.seed)
    try:
        tally = run(options.first, options.seeds)
    except SeedFailed as failure:
        sys.stdout.write(f"{failure}\n")
        return 1
    sys.stdout.write(f"{tally}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
