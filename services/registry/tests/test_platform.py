"""Stacks read from files: what is refused at start, and what happens to later edits."""

import asyncio
from pathlib import Path

import pytest
from workerpool_kit.process import StartupError
from workerpool_registry.app.platform import Platform
from workerpool_registry.domain.catalogue import TeeFramework
from workerpool_registry.errors import StackNotFound

ALIAS_BOMB = "a0: &a0 []\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 9)
)


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def loaded(folder: Path) -> Platform:
    platform = Platform(folder)
    platform.load()
    return platform


def test_a_stack_is_its_own_file_over_the_common_one(tmp_path: Path) -> None:
    write(tmp_path, "application.yml", "sms:\n  scone: http://common:13300\n  tdx: http://tdx:13300/\n")
    write(tmp_path, "application-prod.yml", "sms.scone: http://prod:13300\n")
    stack = loaded(tmp_path).stack("prod")
    assert stack.sms_locations == {
        TeeFramework.SCONE: "http://prod:13300",
        TeeFramework.TDX: "http://tdx:13300",
    }


def test_no_stack_name_means_the_common_file(tmp_path: Path) -> None:
    write(tmp_path, "application.yml", "sms.gramine: http://gramine:13300\n")
    stack = loaded(tmp_path).stack("")
    assert (stack.name, stack.sms_locations) == ("default", {TeeFramework.GRAMINE: "http://gramine:13300"})


def test_a_label_selects_the_files_of_a_sub_folder(tmp_path: Path) -> None:
    write(tmp_path, "application-prod.yml", "sms.scone: http://now:13300\n")
    write(tmp_path, "v9/application-prod.yml", "sms.scone: http://then:13300\n")
    platform = loaded(tmp_path)
    assert platform.stack("prod", "v9").sms_locations[TeeFramework.SCONE] == "http://then:13300"
    assert platform.stack("prod").version != platform.stack("prod", "v9").version


@pytest.mark.parametrize(("stack", "label"), [("staging", ""), ("prod", "v9"), ("prod", "../.."), ("", "")])
def test_an_unknown_stack_or_label_is_not_found(tmp_path: Path, stack: str, label: str) -> None:
    write(tmp_path, "application-prod.yml", "sms.scone: http://prod:13300\n")
    with pytest.raises(StackNotFound):
        loaded(tmp_path).stack(stack, label)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "sms:\n  scone: http://a:1\n  scone2: http://a:1\n",
            "application-bad.yml:3: sms.scone2: no such TEE",
        ),
        ("a: 1\nsms:\n  tdx: not a url\n", "application-bad.yml:3: sms.tdx: expected a URL"),
        ("sms:\n  scone: [\n", "application-bad.yml:3: "),
        ("- one\n- two\n", "application-bad.yml:1: expected keys and values"),
        ("a: b: c\n", "application-bad.yml:1: "),
        ("a: 1\nb: !secret x\n", "application-bad.yml:2: could not determine a constructor"),
        ("a: 1\nb: 2024-99-99\n", "application-bad.yml:2: not a value that can be used: '2024-99-99'"),
        ("a: 1\nb: !!bool x\n", "application-bad.yml:2: not a value that can be used"),
        ("a: " + "9" * 5_000, "application-bad.yml:1: not a value that can be used"),
        ('a: 1\nb: "\\ud800"\n', "application-bad.yml:2: not a value that can be used"),
        ("sms:\n  scone: http://a:1\n  scone: http://b:1\n", "application-bad.yml:3: scone: given twice"),
        ("a: &a\n  b: *a\n", "application-bad.yml:1: is nested too deeply, or in itself"),
        ("a: " + "[" * 100 + "]" * 100, "application-bad.yml:1: is nested too deeply, or in itself"),
        ("a: " + "[" * 5_000 + "]" * 5_000, "is nested too deeply, or in itself"),
        (ALIAS_BOMB, "stands for more than 10000 values"),
    ],
)
def test_a_bad_file_is_refused_at_start_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    write(tmp_path, "application-bad.yml", text)
    with pytest.raises(StartupError) as refused:
        loaded(tmp_path)
    assert complaint in str(refused.value)


@pytest.mark.parametrize("edit", ["sms.scone: nonsense\n", "a: !secret x\n", "a: &a [*a]\n"])
async def test_a_bad_edit_keeps_the_last_good_content(tmp_path: Path, edit: str) -> None:
    write(tmp_path, "application-prod.yml", "sms.scone: http://good:13300\n")
    platform = loaded(tmp_path)
    write(tmp_path, "application-prod.yml", edit)
    await platform.refresh()
    assert platform.stack("prod").sms_locations[TeeFramework.SCONE] == "http://good:13300"
    write(tmp_path, "application-prod.yml", "sms.scone: http://better:13300\n")
    await platform.refresh()
    assert platform.stack("prod").sms_locations[TeeFramework.SCONE] == "http://better:13300"


async def test_a_folder_that_is_away_takes_no_location_away(tmp_path: Path) -> None:
    """A volume that is mounted anew, for instance."""
    folder = tmp_path / "mounted"
    write(folder, "application-prod.yml", "sms.scone: http://good:13300\n")
    platform = loaded(folder)
    folder.rename(tmp_path / "away")
    await platform.refresh()
    assert platform.stack("prod").sms_locations
    (tmp_path / "away").rename(folder)
    (folder / "application-prod.yml").unlink()
    await platform.refresh()
    with pytest.raises(StackNotFound):
        platform.stack("prod")


async def test_a_watcher_hears_of_an_edit_and_only_of_a_real_one(tmp_path: Path) -> None:
    write(tmp_path, "application-prod.yml", "sms.scone: http://a:13300\n")
    write(tmp_path, "application-other.yml", "sms.scone: http://x:13300\n")
    platform = loaded(tmp_path)
    seen = platform.watch("prod")
    assert (await anext(seen)).sms_locations[TeeFramework.SCONE] == "http://a:13300"
    following = asyncio.ensure_future(anext(seen))
    write(tmp_path, "application-other.yml", "sms.scone: http://longer-name:13300\n")
    await platform.refresh()
    write(tmp_path, "application-prod.yml", "sms.scone: http://b-is-new:13300\n")
    await platform.refresh()
    assert (await asyncio.wait_for(following, 5)).sms_locations[TeeFramework.SCONE] == "http://b-is-new:13300"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="is not a folder"):
        loaded(tmp_path / "nowhere")
