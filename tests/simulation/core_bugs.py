"""The register of the scheduler's planted bugs."""

from simulation.planting import PlantedBugs
from workerpool_core.simulation.environment import Environment

BUGS = PlantedBugs[Environment]()
