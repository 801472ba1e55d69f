"""`python -m service_image requirements SERVICE|build` prints a requirements file; `… wheel SERVICE FOLDER` builds."""

import sys
from pathlib import Path

from worker_release import wheel
from worker_release.source import ROOT, BuildError

from service_image.requirements import LockError, requirements

LOCK = ROOT / "requirements.lock"
BUILD = ("hatchling",)
"""What the build of a wheel needs."""


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    try:
        match arguments:
            case ["requirements", "build"]:
                sys.stdout.write(requirements(LOCK, (), BUILD))
            case ["requirements", service]:
                members = wheel.members(distribution(service))
                own = [member.project["name"] for member in members]
                required = [each for member in members for each in member.foreign]
                sys.stdout.write(requirements(LOCK, own, required))
            case ["wheel", service, folder]:
                sys.stdout.write(f"{wheel.build(Path(folder), distribution(service))}\n")
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except (LockError, BuildError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def distribution(service: str) -> str:
    """Return the name of the package of a service, such as `workerpool-chain-adapter` for `chain_adapter`."""
    return f"workerpool-{service.replace('_', '-')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
