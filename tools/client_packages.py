"""The clients in other languages: install what they need, generate their code from protos/, compare it.

`client_packages.py install` runs each clients/<language>/install in parallel. `client_packages.py generate` writes
the generated code, and `client_packages.py check` compares it with what the protos give now. Arguments may name
languages; all of them by default. A language whose code is generated has a buf.gen.yaml and a plugins.sh, which
installs its generators. The Python client uses libs/protocol, which `make protos` writes.
"""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
CLIENTS = ROOT / "clients"


def languages() -> list[str]:
    """Return the name of each client's folder."""
    return sorted(path.parent.name for path in CLIENTS.glob("*/install"))


def generated_languages() -> list[str]:
    """Return the clients whose folder holds generated code."""
    return [name for name in languages() if (CLIENTS / name / "buf.gen.yaml").exists()]


def outputs(language: str) -> list[Path]:
    """Return the folders of generated code of a client, relative to the root."""
    template = yaml.safe_load((CLIENTS / language / "buf.gen.yaml").read_text())
    return sorted({Path(plugin["out"]) for plugin in template["plugins"]})


def generate(language: str, target: Path = ROOT) -> None:
    """Write the generated code of a client below `target`. Raises CalledProcessError."""
    folder = CLIENTS / language
    subprocess.run([folder / "plugins.sh"], cwd=ROOT, check=True)
    template = folder.relative_to(ROOT) / "buf.gen.yaml"
    command: list[str | Path] = [ROOT / ".venv/bin/buf", "generate", "--template", template, "-o", target]
    subprocess.run(command, cwd=ROOT, check=True)


def differences(language: str) -> list[str]:
    """Return the generated files of a client that differ from the protos, are missing, or are obsolete."""
    with tempfile.TemporaryDirectory() as name:
        fresh = Path(name)
        generate(language, fresh)
        return [
            str(folder / path)
            for folder in outputs(language)
            for path in sorted(_files(ROOT / folder) | _files(fresh / folder))
            if _content(ROOT / folder / path) != _content(fresh / folder / path)
        ]


def install(language: str) -> int:
    """Install a client as its users do; return the exit code."""
    return subprocess.run([CLIENTS / language / "install"], cwd=ROOT, check=False).returncode


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    command, named = arguments[:1], arguments[1:]
    match command:
        case ["install"]:
            wanted = named or languages()
            with ThreadPoolExecutor() as threads:
                codes = dict(zip(wanted, threads.map(install, wanted), strict=True))
            failed = [name for name, code in codes.items() if code]
            if failed:
                sys.stderr.write(f"the clients in {', '.join(failed)} are not installed: see above\n")
            return 1 if failed else 0
        case ["generate"]:
            for name in named or generated_languages():
                generate(name)
            return 0
        case ["check"]:
            stale = [path for name in named or generated_languages() for path in differences(name)]
            for path in stale:
                sys.stderr.write(f"{path} is out of date: run `make clients`\n")
            return 1 if stale else 0
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
