"""`python -m worker_release wheel|binary`: build it into dist/ and print its path."""

import sys

from worker_release import package, wheel
from worker_release.source import ROOT, BuildError

_DIST = ROOT / "dist"


def main(arguments: list[str]) -> int:
    """Build one of the two; return the exit code."""
    try:
        match arguments:
            case ["wheel"]:
                made = wheel.build(_DIST)
                sys.stdout.write(f"{made}\n")
            case ["binary"]:
                built = package.build(_DIST)
                packed, unpacked = built.archive.stat().st_size / 2**20, built.unpacked_bytes / 2**20
                sys.stdout.write(f"{built.archive}\n")
                sys.stderr.write(
                    f"glibc {built.glibc} or newer; {packed:.0f} MiB, unpacked {unpacked:.0f} MiB\n"
                )
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except BuildError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
