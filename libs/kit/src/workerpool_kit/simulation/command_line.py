"""The command line of a simulation: `--seeds 2000` runs many seeds, `--seed 17` runs one with a trace."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from workerpool_kit.simulation.seeds import SeedFailed, Simulation


def main(
    simulation: Simulation[Any], prog: str, description: str | None, arguments: Sequence[str] | None = None
) -> int:
    """Run the simulation of a command line; return the exit code.

    Args:
        simulation: what to run.
        prog: the command, for its help.
        description: what the command does, for its help.
        arguments: the command line; None for the one of this process.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--seeds", type=int, default=2000, help="number of seeds to run (default: 2000)")
    parser.add_argument("--first", type=int, default=1, help="first seed (default: 1)")
    parser.add_argument("--seed", type=int, help="run only this seed, with a trace")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _replay(simulation, options.seed)
    try:
        tally = simulation.run(options.first, options.seeds)
    except SeedFailed as failure:
        sys.stdout.write(f"{failure}\n")
        return 1
    sys.stdout.write(f"{tally}\n")
    return 0


def _replay(simulation: Simulation[Any], seed: int) -> int:
    simulation.prepare()
    try:
        summary = simulation.world(seed, _trace).run()
    except Exception:
        traceback.print_exc()
        return 1
    sys.stdout.write(f"{summary}\n")
    return 0


def _trace(at: float, what: str, fields: dict[str, object]) -> None:
    details = " ".join(f"{name}={value}" for name, value in fields.items())
    sys.stdout.write(f"{at:9.3f} {what:14} {details}\n")
