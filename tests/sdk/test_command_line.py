"""The runner of commands, with small programs in place of a release."""

import json
from pathlib import Path

import pytest

from sdk.command_line import CommandFailed, CommandLine
from sdk.releases import RELEASES

ANSWERS = """
console.warn("a warning");
console.log(JSON.stringify({ok: true, words: process.argv.slice(2), folder: process.cwd()}));
"""
REFUSES = """
console.error(JSON.stringify({ok: false, command: "app run", error: {name: "Error", message: "No app"}}));
process.exit(1);
"""
ADMITS = """
console.error(JSON.stringify({ok: false, failedTasks: [1]}));
"""
HANGS = """
setInterval(() => {}, 1000);
"""


@pytest.fixture
def iexec(tmp_path: Path) -> CommandLine:
    """Return a command line whose nouns are small programs."""
    programs = {}
    for name, text in {
        "iexec": ANSWERS,
        "wallet": ANSWERS,
        "app": REFUSES,
        "task": ADMITS,
        "deal": HANGS,
    }.items():
        programs[name] = tmp_path / f"{name}.js"
        programs[name].write_text(text)
    return CommandLine(programs, tmp_path)


async def test_run_returns_the_answer_of_the_executable_of_the_noun(iexec: CommandLine) -> None:
    answer = await iexec.run("wallet", "show", "0x1")
    assert answer == {"ok": True, "words": ["show", "0x1", "--raw"], "folder": str(iexec.folder)}


async def test_run_gives_a_command_without_a_noun_to_iexec_itself(iexec: CommandLine) -> None:
    assert (await iexec.run("init", "--force"))["words"] == ["init", "--force", "--raw"]
    iexec.whole = True
    assert (await iexec.run("wallet", "show"))["words"] == ["wallet", "show", "--raw"]


async def test_run_fails_with_the_output_of_a_command_that_fails(iexec: CommandLine) -> None:
    with pytest.raises(CommandFailed, match=r"(?s)\$ iexec app run 0x1 .* 1 after .*No app"):
        await iexec.run("app", "run", "0x1")


async def test_run_fails_when_the_answer_is_a_failure_although_the_exit_code_is_0(iexec: CommandLine) -> None:
    with pytest.raises(CommandFailed, match="failedTasks"):
        await iexec.run("task", "show")


async def test_refused_returns_the_sentence_and_accepts_no_success(iexec: CommandLine) -> None:
    assert await iexec.refused("app", "run") == "No app"
    with pytest.raises(CommandFailed, match="should fail"):
        await iexec.refused("wallet", "show")


async def test_a_command_that_does_not_end_is_killed(iexec: CommandLine) -> None:
    with pytest.raises(CommandFailed, match="did not end within 1 s"):
        await iexec.run("deal", "show", seconds=1)


async def test_every_command_is_kept_and_printed(
    iexec: CommandLine, capsys: pytest.CaptureFixture[str]
) -> None:
    await iexec.run("wallet", "show")
    (outcome,) = iexec.outcomes
    assert (outcome.words, outcome.code) == (("wallet", "show"), 0)
    assert "$ iexec wallet show" in capsys.readouterr().out


@pytest.mark.parametrize("version", RELEASES)
def test_the_lock_file_of_a_release_pins_it_and_names_no_host(version: str) -> None:
    text = Path(__file__).with_name(version).joinpath("package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert packages["node_modules/iexec"]["version"] == version
    assert all(package["integrity"] for name, package in packages.items() if name)
    assert '"resolved"' not in text
