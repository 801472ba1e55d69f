"""The overview names what hinders the pool, and the search field leads on."""

import pytest
from workerpool_core.api.operator_page.overview import component_problems
from workerpool_kit.health import Health

from services.core.tests.doubles.markup import checked, text_of
from services.core.tests.doubles.page_world import PageWorld, wallet


@pytest.mark.parametrize(
    ("sought", "location"),
    [
        ("0x" + "aB" * 32, "./tasks/0x" + "ab" * 32),
        (f"  {wallet(1)} ", f"./workers/{wallet(1)}"),
    ],
)
async def test_a_task_or_worker_is_found_by_its_name(world: PageWorld, sought: str, location: str) -> None:
    answer = await world.get(f"/ui/find?q={sought.replace(' ', '+')}")
    assert (answer.status, answer.headers["location"]) == (303, location)


@pytest.mark.parametrize("sought", ["", "0x12", "//evil.example", "0x" + "g" * 64])
async def test_anything_else_is_explained(world: PageWorld, sought: str) -> None:
    answer = await world.get(f"/ui/find?q={sought}")
    assert answer.status == 400
    assert "64 hexadecimal digits" in text_of(checked(answer.text), ".problem")


async def test_the_overview_starts_with_the_problems_of_the_pool(
    world: PageWorld, signed: dict[str, str]
) -> None:
    hindered = checked((await world.get("/ui/", signed)).text)
    assert "NO_WORKER_CONNECTED" in text_of(hindered, "#problems")
    world.connect(1)
    world.clock.advance(2)
    works = checked((await world.get("/ui/", signed)).text)
    assert (
        text_of(works, "#problems p")
        == "None: a new task can be computed, and every service that core needs answers."
    )


async def test_tasks_are_counted_with_links_to_their_lists(world: PageWorld, signed: dict[str, str]) -> None:
    world.buy(bot_size=3, trust=50)
    page = checked((await world.get("/ui/", signed)).text)
    assert text_of(page, '#tasks a[href="./tasks?status=INITIALIZED"]') == "3 INITIALIZED"


def test_components_that_are_down_say_what_to_do() -> None:
    health = Health()
    health.set(
        "certificate", False, problem="it expires soon", next_step="replace it", variable="V", address="A"
    )
    health.set("scheduler", False, reason="starting")
    health.set("adapter", False, problem="told as a problem of the pool")
    health.set("logs", True)
    assert component_problems(health) == [
        ("certificate", "It expires soon.", "A", "V", "Replace it."),
        ("scheduler", "Starting.", "", "", ""),
    ]
