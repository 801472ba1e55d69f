"""What every page must keep: valid HTML, headings, landmarks, labels, and nothing that its policy refuses."""

from typing import Any

from justhtml import JustHTML

_CONTROLS = ("input", "select", "textarea")


def checked(html: str) -> Any:
    """Return the document of a page. Raises AssertionError with everything that is wrong with it."""
    document = JustHTML(html, collect_errors=True, sanitize=False)
    assert not document.errors, document.errors
    assert html.startswith("<!DOCTYPE html>")
    problems = [*_structure(document), *_names(document), *_policy(document)]
    assert not problems, problems
    return document


def text_of(document: Any, selector: str) -> str:
    """Return the text of the first element that matches, with single blanks."""
    found = document.query_one(selector)
    assert found is not None, f"no {selector}"
    return " ".join(found.to_text().split())


def _structure(document: Any) -> list[str]:
    problems = []
    if (root := document.query_one("html")).attrs.get("lang") != "en":
        problems.append(f"no language: {root.attrs}")
    for selector in ("h1", "main", "header", "footer", "title"):
        if (count := len(document.query(selector))) != 1:
            problems.append(f"{count} {selector}")
    ids = [element.attrs["id"] for element in document.query("[id]")]
    problems += [f"the id {name} occurs twice" for name in sorted(set(ids)) if ids.count(name) > 1]
    level = 0
    for heading in document.query("h1, h2, h3, h4"):
        depth = int(heading.name[1])
        if depth > level + 1:
            problems.append(f"{heading.to_text()!r} skips a level of headings")
        level = depth
    skip = document.query_one("a.skip")
    if skip is None or skip.attrs.get("href") != "#content" or "content" not in ids:
        problems.append("no link to skip the navigation")
    return problems


def _names(document: Any) -> list[str]:
    problems = []
    ids = {element.attrs["id"]: element for element in document.query("[id]")}
    labelled = {label.attrs.get("for") for label in document.query("label") if label.to_text().strip()}
    for control in document.query(", ".join(_CONTROLS)):
        if control.attrs.get("type") != "hidden" and control.attrs.get("id") not in labelled:
            problems.append(f"no label for {control.attrs}")
    problems += [
        f"nothing says what {element.name} {element.attrs} does"
        for element in document.query("a, button")
        if not (element.to_text().strip() or element.attrs.get("aria-label"))
    ]
    for attribute in ("aria-labelledby", "aria-describedby", "for"):
        for element in document.query(f"[{attribute}]"):
            named = element.attrs[attribute]
            if named not in ids or not (ids[named].to_text().strip() or attribute == "for"):
                problems.append(f"{attribute} of {element.name} names {named}, which says nothing")
    for table in document.query("table"):
        if table.query_one("caption") is None or not table.query('th[scope="col"]'):
            problems.append("a table without caption or headings")
    for region in document.query('[role="group"], nav, section'):
        if not (region.attrs.get("aria-label") or region.attrs.get("aria-labelledby")):
            problems.append(f"{region.name} without a name")
    return problems


def _policy(document: Any) -> list[str]:
    problems = [f"inline {name}" for name in ("style", "iframe", "object", "base") if document.query(name)]
    problems += [f"{s.attrs}: inline script" for s in document.query("script") if not s.attrs.get("src")]
    for element in document.query("*"):
        for name, value in element.attrs.items():
            if name == "style" or name.startswith("on"):
                problems.append(f"{element.name} has {name}")
            if name in ("href", "src", "action") and (":" in str(value) or str(value).startswith("//")):
                problems.append(f"{element.name} leads to {value}")
    return problems
