"""Changes of a page of docs/ for the site: links that leave docs/, diagrams, and the contents of the index."""

import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

FENCE = "`" * 3
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>(?!https?:|mailto:|#)[^)\s#]+)(?:#[^)]*)?\)")
_DIAGRAM = re.compile(rf"{FENCE}mermaid\n(?P<body>stateDiagram-v2\n.*?){FENCE}", re.DOTALL)
_STEP = re.compile(r"^ *(?P<from>\S+) --> (?P<to>\S+)$", re.MULTILINE)
_FENCE = re.compile(rf"^{FENCE}.*?^{FENCE}", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
_ENDS = {"[*]": "(start)"}


def site_page(name: str, text: str) -> str:
    """Return a page, named by its path below docs/ without suffix, as the site shows it."""
    text = _with_tables(text)
    parts, end = [], 0
    # Code is shown as it is.
    for fence in _FENCE.finditer(text):
        parts += [_inside(name, text[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, _inside(name, text[end:])])


def _inside(name: str, text: str) -> str:
    """Replace links that lead out of docs/ by their text and the path in the repository."""
    folder = PurePosixPath("docs", name).parent

    def changed(match: re.Match[str]) -> str:
        path = _normal(folder / match["target"])
        if path.startswith("docs/") and path.endswith((".md", ".png")):
            return match.group()
        shown = match["text"].strip("`")
        return f"`{path}`" if shown == path else f"{match['text']} (`{path}` in the repository)"

    return _LINK.sub(changed, text)


def _normal(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def _with_tables(text: str) -> str:
    """Replace each state diagram by a table, which needs no script and which a screen reader reads."""
    return _DIAGRAM.sub(lambda match: _table(match["body"]), text)


def _table(diagram: str) -> str:
    following: dict[str, list[str]] = {}
    for step in _STEP.finditer(diagram):
        following.setdefault(_ENDS.get(step["from"], step["from"]), []).append(
            "(end)" if step["to"] == "[*]" else step["to"]
        )
    rows = "".join(f"| {status} | {', '.join(to)} |\n" for status, to in following.items())
    return f"| status | may be followed by |\n|---|---|\n{rows}"


def with_contents(index: str, pages: Collection[str]) -> str:
    """Return the index with the tables of contents of its sections.

    A page belongs to the section that names it first; pages that the index does not name come last.
    """
    named: dict[str, list[str]] = {}
    for title, found in _sections(index):
        earlier = {page for others in named.values() for page in others}
        named[title] = [page for page in dict.fromkeys(found) if page not in earlier]
    rest = sorted(set(pages) - {"index"} - {page for found in named.values() for page in found})
    if rest:
        named["Further pages"] = rest
    return index.rstrip() + "\n" + "".join(_toctree(title, found) for title, found in named.items())


def _sections(index: str) -> Iterator[tuple[str, list[str]]]:
    headings = list(_HEADING.finditer(index))
    ends = [heading.start() for heading in headings[1:]] + [len(index)]
    for heading, end in zip(headings, ends, strict=True):
        targets = [match["target"] for match in _LINK.finditer(index, heading.end(), end)]
        yield heading["title"], [target.removesuffix(".md") for target in targets if target.endswith(".md")]


def _toctree(title: str, pages: Collection[str]) -> str:
    listed = "\n".join(pages)
    return f"\n{FENCE}{{toctree}}\n:hidden:\n:caption: {title}\n\n{listed}\n{FENCE}\n"
