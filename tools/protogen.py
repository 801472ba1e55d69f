"""Generate libs/protocol from protos/: `buf generate`, then move the packages below `workerpool_protocol`.

The contracts' packages are `workerpool.<service>.v1` in every language. Python imports them as
`workerpool_protocol.<service>.v1`, so that no service can shadow them. With --check nothing is written
and the exit code is 1 if libs/protocol is outdated; `make check` uses it.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATED = ROOT / ".cache" / "protogen"
TARGET = ROOT / "libs" / "protocol" / "src"
IMPORT = re.compile(r"^(from|import) workerpool\.", re.MULTILINE)
PACKAGE_DOCSTRING = '"""Generated stubs of every contract in protos/; made by `make protos`."""\n'
NAME = re.compile(r"(?<![\w./'\"])workerpool\.(\w+\.v1)\b")


def generated_files() -> dict[Path, str]:
    """Return every file that belongs in libs/protocol/src, by its path there."""
    subprocess.run([ROOT / ".venv/bin/buf", "generate"], cwd=ROOT, check=True)
    files: dict[Path, str] = {}
    for path in sorted(GENERATED.rglob("*.py*")):
        relative = path.relative_to(GENERATED)
        text = path.read_text()
        if relative.parts[0] == "google":
            continue
        if relative.parts[0] == "workerpool":
            relative = Path("workerpool_protocol", *relative.parts[1:])
        text = IMPORT.sub(r"\1 workerpool_protocol.", text)
        if path.suffix == ".pyi":
            text = NAME.sub(r"workerpool_protocol.\1", text)
        files[relative] = text
    for folder in {file.parent for file in files}:
        while folder != Path():
            files.setdefault(folder / "__init__.py", "")
            folder = folder.parent
    files[Path("workerpool_protocol/__init__.py")] = PACKAGE_DOCSTRING
    files[Path("workerpool_protocol/py.typed")] = ""
    return files


def main(arguments: list[str]) -> int:
    """Write the stubs, or with --check compare them; return the exit code."""
    files = generated_files()
    present = {
        p.relative_to(TARGET) for p in TARGET.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    stale = sorted(str(p) for p in present - set(files)) + sorted(
        str(p) for p, text in files.items() if p not in present or (TARGET / p).read_text() != text
    )
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"libs/protocol/src/{name} is out of date: run `make protos`\n")
        return 1 if stale else 0
    for path in present - set(files):
        (TARGET / path).unlink()
    for path, text in files.items():
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_text(text)
    shutil.rmtree(GENERATED)
    sys.stderr.write(f"libs/protocol: {len(files)} files, {len(stale)} changed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
