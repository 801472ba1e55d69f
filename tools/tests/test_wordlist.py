"""The word list: what it refuses, what it leaves alone, and that its list of files only shrinks."""

import pytest
import wordlist

REFUSED = "nobody"  # wordlist: allow


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", f'"""Ask {REFUSED} here."""\n'),
        ("a.py", f"x = 1  # {REFUSED}\n"),
        ("a.py", f"def test_{REFUSED}_waits() -> None: ...\n"),
        ("a.py", f'raise ValueError(f"{REFUSED} has {{x}}")\n'),
        ("a.md", f"One {REFUSED} there.\n"),
        ("a.proto", f"message A {{ // {REFUSED.title()}\n}}\n"),
        ("a.go", f"package a // {REFUSED}\n"),
        ("a.ts", f"/** Ask {REFUSED} here. */\nconst x = 1;\n"),
        ("a.java", f"/**\n * Ask\n * {REFUSED} here.\n */\nclass A {{}}\n"),
        ("Makefile", f"all: ## {REFUSED}\n"),
    ],
)
def test_a_refused_word_is_found_in_prose_of_every_kind(path: str, text: str) -> None:
    assert [f.word.lower() for f in wordlist.findings_in(path, text)] == [REFUSED]


FOREVER = "for" + " ever"


def test_an_expression_is_found_across_lines_and_named_by_its_first() -> None:
    text = "x = 1\n# It waits for\n# ever and more.\n"  # wordlist: allow
    assert [(f.line, f.word) for f in wordlist.findings_in("a.py", text)] == [(2, FOREVER)]


@pytest.mark.parametrize("text", ["# the worker who left\n", "# that who waits\n"])  # wordlist: allow
def test_who_is_refused_for_software(text: str) -> None:
    assert len(wordlist.findings_in("a.py", text)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.ts", f'const x = "src/**/*"; let {REFUSED} = 1;\n'),
        ("a.java", f"/* A. */\nString {REFUSED};\n"),
    ],
)
def test_code_of_other_languages_is_left_alone(path: str, text: str) -> None:
    assert wordlist.findings_in(path, text) == []


@pytest.mark.parametrize(
    "text", ["x = 1\n", "# an operator who reads\n", f'x = "{REFUSED}"\n', "# where the\n"]
)
def test_names_values_and_people_are_left_alone(text: str) -> None:
    assert wordlist.findings_in("a.py", text) == []


@pytest.mark.parametrize("quoted", ["`" * 2 + "name" + "`" * 2, ":class" + ":`Name`"])
def test_code_is_quoted_with_single_backticks(quoted: str) -> None:
    assert len(wordlist.findings_in("a.py", f"# Read {quoted}.\n")) >= 1
    assert wordlist.findings_in("a.md", f"Read {quoted}.\n") == []


def test_a_marked_line_is_exempt() -> None:
    assert wordlist.findings_in("a.py", f"# {REFUSED}  {wordlist.MARKER}\n") == []


def test_the_list_of_files_only_shrinks() -> None:
    found = wordlist.Finding("b.py", 1, REFUSED, "a reason")
    assert wordlist.problems(["a.py"], {"a.py": [], "b.py": [found]}) == [
        str(found),
        "tools/wordlist.todo: a.py is clean or gone: run `python3 tools/wordlist.py --update`",
    ]
    assert wordlist.problems(["b.py"], {"b.py": [found]}) == []
