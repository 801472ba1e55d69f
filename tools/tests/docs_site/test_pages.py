"""What the site changes in a page: links that leave docs/, diagrams, and the contents of the index."""

import pytest
from docs_site.pages import FENCE, site_page, with_contents


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("blame", "see [a page](security.md#keys)", "see [a page](security.md#keys)"),
        ("adr/0001", "see [a page](../security.md)", "see [a page](../security.md)"),
        (
            "blame",
            "see [the worker](../services/worker)",
            "see the worker (`services/worker` in the repository)",
        ),
        ("blame", "see [`Makefile`](../Makefile)", "see `Makefile`"),
        ("adr/0001", "see [it](../../README.md#use)", "see it (`README.md` in the repository)"),
        ("blame", "see [out](https://example.org/a.md)", "see [out](https://example.org/a.md)"),
        ("blame", "a [place](#here)", "a [place](#here)"),
        ("blame", f"{FENCE}sh\nx [a](../b)\n{FENCE}\n", f"{FENCE}sh\nx [a](../b)\n{FENCE}\n"),
    ],
)
def test_a_link_out_of_docs_names_the_file(name: str, text: str, shown: str) -> None:
    assert site_page(name, text) == shown


def test_a_diagram_becomes_a_table() -> None:
    diagram = (
        f"{FENCE}mermaid\nstateDiagram-v2\n    [*] --> RECEIVED\n    RECEIVED --> READY\n    RECEIVED --> FAILED\n"
        f"    FAILED --> [*]\n{FENCE}\n"
    )
    assert site_page("state-machines", f"before\n\n{diagram}after\n") == (
        "before\n\n| status | may be followed by |\n|---|---|\n| (start) | RECEIVED |\n"
        "| RECEIVED | READY, FAILED |\n| FAILED | (end) |\n\nafter\n"
    )


def test_the_index_gets_the_contents_of_its_sections_and_of_what_it_does_not_name() -> None:
    index = "# Title\n\n## First\n* [One](one.md): x\n\n## Second\n* [Two](adr/README.md)\n"
    assert with_contents(index, {"index", "one", "adr/README", "three", "adr/0001"}) == (
        index.rstrip() + "\n"
        f"\n{FENCE}{{toctree}}\n:hidden:\n:caption: First\n\none\n{FENCE}\n"
        f"\n{FENCE}{{toctree}}\n:hidden:\n:caption: Second\n\nadr/README\n{FENCE}\n"
        f"\n{FENCE}{{toctree}}\n:hidden:\n:caption: Further pages\n\nadr/0001\nthree\n{FENCE}\n"
    )


def test_a_page_belongs_to_the_section_that_names_it_first() -> None:
    index = "## First\n* [One](one.md), [again](one.md)\n\n## Second\n* [Two](two.md), like [one](one.md)\n"
    contents = with_contents(index, {"one", "two"}).removeprefix(index)
    assert (contents.count("\none\n"), contents.count("\ntwo\n")) == (1, 1)
