"""Run the simulation: `--seeds 2000` runs many seeds, `--seed 17` runs one with a trace."""

import sys

from workerpool_kit.simulation.command_line import main

from workerpool_core.simulation.seeds import SIMULATION

if __name__ == "__main__":
    sys.exit(main(SIMULATION, "python -m workerpool_core.simulation", __doc__))
