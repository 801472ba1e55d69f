"""The platform registry: stacks by name and label, refreshed without losing a location."""

import asyncio

import pytest
from patience import PATIENCE_S
from workerpool_registry.app.platform import Platform
from workerpool_registry.app.ports import PropertyFileError, Stamp
from workerpool_registry.domain.property_file import FileProblem, Property, PropertyFile
from workerpool_registry.domain.stack import Stack, TeeFramework
from workerpool_registry.errors import StackNotFound


class Files:
    """The `PropertySource` port in memory: path to SCONE location; "bad" is a file with a problem."""

    def __init__(self, **locations: str) -> None:
        self.locations = {path.replace("_", "-") + ".yml": url for path, url in locations.items()}
        self.readable = True
        self.reads = 0

    def paths(self) -> list[str]:
        if not self.readable:
            raise OSError("the volume is not mounted")
        return sorted(self.locations)

    def stamp(self, path: str) -> Stamp:
        return (hash(self.locations.get(path)), 0)

    def read(self, path: str) -> PropertyFile:
        self.reads += 1
        url = self.locations[path]
        if url == "bad":
            raise PropertyFileError([FileProblem(path, 1, "is bad")])
        return PropertyFile(path, {"sms.scone": Property(url, 1)}, url)


def loaded(files: Files) -> Platform:
    platform = Platform(files)
    platform.load()
    return platform


def scone_of(stack: Stack) -> str:
    return stack.sms_locations[TeeFramework.SCONE]


def test_stack_is_described_by_its_own_file() -> None:
    platform = loaded(Files(application="http://shared:1", application_prod="http://prod:1"))
    assert scone_of(platform.stack("prod")) == "http://prod:1"
    assert [file.path for file in platform.files("prod")] == ["application-prod.yml", "application.yml"]


def test_empty_name_is_the_default_stack() -> None:
    stack = loaded(Files(application="http://shared:1")).stack("")
    assert (stack.name, scone_of(stack)) == ("default", "http://shared:1")


def test_label_selects_the_files_of_a_sub_folder() -> None:
    files = Files(application_prod="http://now:1")
    files.locations["v9/application-prod.yml"] = "http://then:1"
    platform = loaded(files)
    assert scone_of(platform.stack("prod", "v9")) == "http://then:1"
    assert platform.stack("prod").version != platform.stack("prod", "v9").version


@pytest.mark.parametrize(("stack", "label"), [("staging", ""), ("prod", "v9"), ("prod", "../.."), ("", "")])
def test_unknown_stack_or_label_is_not_found(stack: str, label: str) -> None:
    with pytest.raises(StackNotFound, match="add it to the folder"):
        loaded(Files(application_prod="http://prod:1")).stack(stack, label)


def test_shared_file_alone_does_not_make_a_stack() -> None:
    with pytest.raises(StackNotFound):
        loaded(Files(application="http://shared:1")).stack("prod")


def test_every_bad_file_is_named_at_the_start() -> None:
    with pytest.raises(PropertyFileError) as refused:
        loaded(Files(application="bad", application_prod="bad", application_dev="http://dev:1"))
    assert [problem.path for problem in refused.value.problems] == ["application-prod.yml", "application.yml"]


async def test_bad_edit_keeps_the_last_good_content() -> None:
    files = Files(application_prod="http://good:1")
    platform = loaded(files)
    files.locations["application-prod.yml"] = "bad"
    await platform.refresh()
    assert scone_of(platform.stack("prod")) == "http://good:1"
    files.locations["application-prod.yml"] = "http://better:1"
    await platform.refresh()
    assert scone_of(platform.stack("prod")) == "http://better:1"


async def test_source_that_cannot_be_read_removes_no_location() -> None:
    """As while a volume is mounted again."""
    files = Files(application_prod="http://good:1")
    platform = loaded(files)
    files.readable = False
    await platform.refresh()
    assert scone_of(platform.stack("prod")) == "http://good:1"
    files.readable = True
    files.locations.clear()
    await platform.refresh()
    with pytest.raises(StackNotFound):
        platform.stack("prod")


async def test_file_with_an_unchanged_stamp_is_not_read_again() -> None:
    files = Files(application="http://a:1")
    platform = loaded(files)
    await platform.refresh()
    assert files.reads == 1


async def test_watcher_receives_edits_of_its_stack_only() -> None:
    files = Files(application_prod="http://a:1", application_other="http://x:1")
    platform = loaded(files)
    seen = platform.watch("prod")
    assert scone_of(await anext(seen)) == "http://a:1"
    following = asyncio.ensure_future(anext(seen))
    files.locations["application-other.yml"] = "http://y:1"
    await platform.refresh()
    files.locations["application-prod.yml"] = "http://b:1"
    await platform.refresh()
    assert scone_of(await asyncio.wait_for(following, PATIENCE_S)) == "http://b:1"


async def test_watch_ends_when_the_stack_is_removed() -> None:
    files = Files(application_prod="http://a:1")
    platform = loaded(files)
    seen = platform.watch("prod")
    await anext(seen)
    files.locations.clear()
    await platform.refresh()
    with pytest.raises(StackNotFound):
        await anext(seen)


async def test_follow_refreshes_periodically_and_ends_without_a_source() -> None:
    files = Files(application_prod="http://a:1")
    platform = loaded(files)
    following = asyncio.ensure_future(platform.follow(0.001))
    files.locations["application-prod.yml"] = "http://b:1"
    async with asyncio.timeout(PATIENCE_S):
        async for stack in platform.watch("prod"):
            if scone_of(stack) == "http://b:1":
                break
    following.cancel()
    await asyncio.wait_for(Platform(None).follow(1_000), PATIENCE_S)


def test_platform_without_a_source_knows_no_stack() -> None:
    platform = Platform(None)
    platform.load()
    assert platform.files("prod") == []
