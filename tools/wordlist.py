"""Refuse words that the house does not use, in prose: comments, docstrings, texts, test names and documents.

`python3 tools/wordlist.py` checks the whole repository; paths as arguments limit it to those files and folders
and ignore the list of files still to do. `--update` removes clean and deleted files from that list. A line that
must quote such a word carries the marker `wordlist: allow`.
"""

import argparse
import ast
import io
import os
import re
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TODO = Path("tools/wordlist.todo")
MARKER = "wordlist: allow"
SOFTWARE = (
    "adapter|app|block|broker|call|caller|chain|channel|client|container|contract|core|daemon|database|dispatcher"
    "|engine|enclave|handler|journal|machine|member|node|peer|pool|process|provider|proxy|reader|registry|replicate"
    "|scheduler|sender|server|service|session|store|stream|supervisor|system|task|thread|tool|tracker|transaction"
    "|wallet|worker|writer|all|any|else|everyone|many|one|other|that|those"
)
RULES: dict[str, re.Pattern[str]] = {
    "a person where software is meant": re.compile(
        r"\b(?:nobody|somebody|anybody|everybody|whoever|whomever|he|his|him|himself|she|her|hers|herself)\b"
        r"(?!\.\w)",
        re.IGNORECASE,
    ),
    "write that or which, or name the person": re.compile(
        rf"\b(?:{SOFTWARE})(?:s|es)?,?\s+who\b", re.IGNORECASE
    ),
    "not plain technical English": re.compile(
        r"\bfor\s+ever\b|\bat\s+all\b|\bleft\s+behind\b|\ba\s+thing\s+of\s+which\b", re.IGNORECASE
    ),
    "put the subject first, then an active verb": re.compile(
        r"\bof\s+which\s+(?:each|no|none)\b|\b(?:from|to)\s+which\s+no\b|\bwhat\s+(?:is|was)\s+told\b"
        r"|\bnothing\s+is\s+to\s+be\b|\bfit\s+to\s+(?:act|decide)\s+on\b",
        re.IGNORECASE,
    ),
    "say again, repair, retry, reopen, free space or learned": re.compile(
        r"\banew\b|\bonce\s+more\b|\bmend(?:s|ed|ing)?\b|\basks?\s+again\b|\bopened\s+again\b"
        r"|\bmakes?\s+room\b|\blearnt\b",
        re.IGNORECASE,
    ),
    "drop the old word": re.compile(
        r"\bin\s+vain\b|\blikewise\b|\bnevertheless\b|\bso\s+far\s+as\b|\bof\s+its\s+own\s+accord\b"
        r"|\b(?:here|there|where)(?:by|in|of|upon|with)\b",
        re.IGNORECASE,
    ),
}
DOCSTRINGS = {
    "say what it creates, returns or executes": re.compile(
        r"^(?:Prepare[.,;]|Tells?\s+whether\b|Carr(?:y|ies)\s+out\b)"
    )
}
"""Rules for Python only: how a docstring or another text must not begin."""
MARKUP = {"one markup: `name`": re.compile(r"``|:(?:attr|class|data|exc|func|meth|mod):`")}
"""Rules for Python and protos only: code is quoted with single backticks."""
EXEMPT = re.compile(
    r"^(?:third_party/|libs/protocol/src/|protos/released/|LICENSE$|tools/go/(?:\w+/)?go\.sum$)"
    r"|^clients/\w+/(?:gen|src/gen|src/generated)/"
    r"|(?:^|/)package-lock\.json$"
    r"|\.(?:lock|png)$|^tools/wordlist(?:\.py|\.todo)$"
)
SLASH_COMMENTS = frozenset({".go", ".ts", ".java"})
HASH_COMMENTS = frozenset({".sh", ".toml", ".yaml", ".yml", ".in", ".cfg", ".ini", ".mod"})
HASH_NAMES = frozenset({"Makefile", "Dockerfile", "run", ".importlinter", ".gitignore", ".editorconfig"})


class Line(NamedTuple):
    """One line of prose: its 1-based number in the file and its text."""

    number: int
    text: str


class Finding(NamedTuple):
    """One refused word."""

    path: str
    line: int
    word: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word!r}: {self.reason}"


Segment = list[Line]


def python_segments(text: str) -> Iterator[Segment]:
    """Yield each block of comments, each string that holds a blank, and each function name as words."""
    comments: Segment = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            if comments and comments[-1].number != token.start[0] - 1:
                yield comments
                comments = []
            comments.append(Line(token.start[0], token.string.lstrip("#! ")))
    if comments:
        yield comments
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"\s", node.value):
            yield [Line(node.lineno + i, line) for i, line in enumerate(node.value.split("\n"))]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield [Line(node.lineno, node.name.replace("_", " "))]


def proto_segments(text: str) -> Iterator[Segment]:
    """Yield each block of `//` comments."""
    block: Segment = []
    for number, line in enumerate(text.splitlines(), 1):
        _, found, comment = line.partition("//")
        if found:
            block.append(Line(number, comment.strip("/ ")))
        elif block:
            yield block
            block = []
    if block:
        yield block


def slash_segments(text: str) -> Iterator[Segment]:
    """Yield each block of `//` and `/* … */` comments of Go, TypeScript and Java."""
    block: Segment = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        # Only at the start of a line: a glob in a string has the signs too.
        if inside or line.lstrip().startswith("/*"):
            comment = line if inside else line.partition("/*")[2]
            inside = "*/" not in comment
            block.append(Line(number, comment.partition("*/")[0].strip("* ")))
        elif (found := line.partition("//"))[1]:
            block.append(Line(number, found[2].strip("/ ")))
        elif block:
            yield block
            block = []
    if block:
        yield block


def plain_segments(text: str) -> Iterator[Segment]:
    """Yield the whole text as one segment, without the signs that start a comment."""
    yield [Line(number, line.lstrip("# ")) for number, line in enumerate(text.splitlines(), 1)]


def segments_of(path: str, text: str) -> Iterator[Segment]:
    """Yield the prose of one file; files of an unknown kind have none."""
    suffix, name = Path(path).suffix, Path(path).name
    if suffix in {".py", ".pyi"}:
        yield from python_segments(text)
    elif suffix == ".proto":
        yield from proto_segments(text)
    elif suffix in SLASH_COMMENTS:
        yield from slash_segments(text)
    elif suffix in HASH_COMMENTS | {".md", ".todo"} or name in HASH_NAMES:
        yield from plain_segments(text)


def findings_in(path: str, text: str) -> list[Finding]:
    """Return every refused word of one file, in the order of its lines."""
    lines = text.splitlines()
    found: set[Finding] = set()
    for segment in segments_of(path, text):
        starts, length = [], 0
        for line in segment:
            starts.append(length)
            length += len(line.text) + 1
        prose = " ".join(line.text for line in segment)
        suffix = Path(path).suffix
        rules = (
            RULES | (MARKUP if suffix in {".py", ".proto"} else {}) | (DOCSTRINGS if suffix == ".py" else {})
        )
        for reason, rule in rules.items():
            for match in rule.finditer(prose):
                index = max(i for i, start in enumerate(starts) if start <= match.start())
                number = segment[index].number
                if number <= len(lines) and MARKER in lines[number - 1]:
                    continue
                found.add(Finding(path, number, " ".join(match.group().split()), reason))
    return sorted(found)


def check_file(path: str) -> list[Finding]:
    """Return the findings of one file, named by its path below the repository's root."""
    try:
        return findings_in(path, (ROOT / path).read_text(encoding="utf-8"))
    except (SyntaxError, tokenize.TokenError, UnicodeDecodeError) as error:
        return [Finding(path, 1, type(error).__name__, "the file cannot be read as text or as Python")]


def present_files(paths: Iterable[str]) -> list[str]:
    """Return the files below `paths`, without what git would ignore; also where git is not installed."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *paths]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        return [name for name in listed.split("\0") if name]
    ignored = [rule.strip("/") for rule in (ROOT / ".gitignore").read_text().split()]
    found: list[str] = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [f for f in folders if not any(fnmatch(f, rule) for rule in ignored)]
        found += [str(Path(folder, f).relative_to(ROOT)) for f in files]
    return [f for f in found if not paths or any(Path(f).is_relative_to(path) for path in paths)]


def tracked_files(paths: Iterable[str] = ()) -> list[str]:
    """Return the repository's files that are checked, below `paths` when there are any."""
    return sorted(f for f in set(present_files(paths)) if not EXEMPT.search(f) and (ROOT / f).is_file())


def read_todo() -> list[str]:
    """Return the files still to do, as listed."""
    path = ROOT / TODO
    return [line for line in path.read_text().splitlines() if line] if path.exists() else []


def write_todo(files: Iterable[str]) -> None:
    """Replace the list of files still to do."""
    (ROOT / TODO).write_text("".join(f"{f}\n" for f in sorted(set(files))))


def problems(todo: list[str], findings: dict[str, list[Finding]]) -> list[str]:
    """Return what is wrong: findings in unlisted files, and listed files that are clean or gone."""
    wrong = [str(found) for path, all_found in findings.items() if path not in todo for found in all_found]
    wrong += [
        f"{TODO}: {path} is clean or gone: run `python3 tools/wordlist.py --update`"
        for path in todo
        if not findings.get(path)
    ]
    return wrong


def main(arguments: list[str]) -> int:
    """Check the repository or the given paths; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", help="files or folders (default: the whole repository)")
    parser.add_argument("--update", action="store_true", help=f"drop clean and deleted files from {TODO}")
    options = parser.parse_args(arguments)
    paths = [str(Path(p).resolve().relative_to(ROOT)) for p in options.paths]
    findings = {path: check_file(path) for path in tracked_files(paths)}
    if options.update:
        todo = read_todo()
        write_todo(path for path in todo if findings.get(path) or (paths and path not in findings))
        sys.stderr.write(f"{TODO}: {len(read_todo())} files still to do\n")
        return 0
    todo = read_todo()
    wrong = [str(f) for found in findings.values() for f in found] if paths else problems(todo, findings)
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    if wrong:
        sys.stderr.write(
            f"{len(wrong)} findings; docs/glossary.md and CONTRIBUTING.md say which words to use\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
