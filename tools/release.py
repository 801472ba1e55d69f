"""One version for all packages: check it, and keep the image of the protos that the last release had.

`release.py check` compares every pyproject.toml, package.json, the clients, CHANGELOG.md and the image of the released
protos.
`release.py image` writes that image for the current version. `release.py breaking` compares protos/ with the newest
image: comments may change, fields may not.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
RELEASED = Path("protos/released")
GO_VERSION = re.compile(r'^const Version = "(?P<version>[^"]+)"$', re.MULTILINE)
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<day>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def package_versions() -> dict[str, str]:
    """Return the version of each package of the workspace, by the file that states it."""
    files = [ROOT / "pyproject.toml"]
    for folder in ("libs", "services", "tools", "clients"):
        files += sorted((ROOT / folder).glob("*/pyproject.toml"))
    versions = {
        str(f.relative_to(ROOT)): str(tomllib.loads(f.read_text())["project"]["version"]) for f in files
    }
    versions["package.json"] = str(json.loads((ROOT / "package.json").read_text())["version"])
    return versions | client_versions()


def client_versions() -> dict[str, str]:
    """Return the version of each client that has no pyproject.toml, by the file that states it."""
    found = {}
    for path in sorted((ROOT / "clients").glob("*/*")):
        match path.name:
            case "package.json":
                found[path] = str(json.loads(path.read_text())["version"])
            case "pom.xml":
                found[path] = ElementTree.parse(path).findtext("{*}version") or "none"
            case "version.go":
                stated = GO_VERSION.search(path.read_text())
                found[path] = stated["version"] if stated else "none"
    return {str(path.relative_to(ROOT)): version for path, version in found.items()}


def images() -> list[Path]:
    """Return the images of released protos, oldest first."""
    return sorted((ROOT / RELEASED).glob("*.binpb"), key=lambda path: [int(n) for n in path.stem.split(".")])


def changelog_problems(version: str, changelog: str) -> list[str]:
    """Return what CHANGELOG.md lacks for a release of this version."""
    headings = {match["version"]: match["day"] for match in HEADING.finditer(changelog)}
    wrong = []
    if "Unreleased" not in headings:
        wrong.append("CHANGELOG.md has no section `## [Unreleased]`")
    if version not in headings:
        wrong.append(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD`")
    elif headings[version] is None:
        wrong.append(f"CHANGELOG.md: the section [{version}] has no date")
    return wrong


def problems() -> list[str]:
    """Return everything that keeps this tree from being released."""
    versions = package_versions()
    version = versions["pyproject.toml"]
    wrong = [
        f"{file} has version {v}, pyproject.toml has {version}"
        for file, v in versions.items()
        if v != version
    ]
    wrong += changelog_problems(version, (ROOT / "CHANGELOG.md").read_text())
    newest = images()[-1:]
    if [path.stem for path in newest] != [version]:
        wrong.append(f"{RELEASED}/{version}.binpb is not the newest image: run `make release-image`")
    return wrong


def buf(*arguments: str) -> int:
    """Run buf in the repository; return its exit code."""
    return subprocess.run([ROOT / ".venv/bin/buf", *arguments], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    match arguments:
        case ["check"]:
            wrong = problems()
            for line in wrong:
                sys.stderr.write(f"{line}\n")
            return 1 if wrong else 0
        case ["image"]:
            target = RELEASED / f"{package_versions()['pyproject.toml']}.binpb"
            (ROOT / RELEASED).mkdir(exist_ok=True)
            return buf("build", "protos", "--exclude-source-info", "-o", str(target))
        case ["breaking"]:
            return buf("breaking", "protos", "--against", str(images()[-1].relative_to(ROOT)))
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
