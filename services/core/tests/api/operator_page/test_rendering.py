"""Answers carry the policy, templates escape, and files of the page are kept by browsers until they change."""

from unittest.mock import MagicMock

import pytest
from jinja2 import UndefinedError
from workerpool_core.api.operator_page import rendering
from workerpool_core.api.operator_page.rendering import ASSETS, HEADERS, Renderer
from workerpool_core.api.operator_page.routes import operator_page_routes

from services.core.tests.doubles.page_world import PageWorld


async def test_every_answer_has_the_policy_and_pages_are_not_kept(
    world: PageWorld, signed: dict[str, str]
) -> None:
    for path in ("/", "/ui/", "/ui/workers", "/ui/wallet", "/ui/sign-in", "/ui/find?q=x", "/ui/style.css"):
        answer = await world.get(path, signed)
        for name, value in HEADERS.items():
            assert answer.headers[name.lower()] == value, path
        kept = "immutable" if path.endswith(".css") else "no-store"
        assert kept in answer.headers["cache-control"], path


def test_the_policy_admits_only_files_of_the_port() -> None:
    policy = dict(part.strip().partition(" ")[::2] for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("style.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
async def test_the_files_of_the_page_are_served(world: PageWorld, name: str, media_type: str) -> None:
    answer = await world.get(f"/ui/{name}")
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert len(answer.body) > 100


def test_no_file_of_the_page_asks_another_host_for_anything() -> None:
    renderer = Renderer("1")
    for name in ASSETS:
        content = bytes(renderer.asset(name).body).decode()
        assert "http" not in content.replace("http://www.w3.org/2000/svg", ""), name
        assert "@import" not in content
        assert "url(" not in content


def test_a_template_that_lacks_a_value_fails() -> None:
    with pytest.raises(UndefinedError):
        Renderer("1").page("problem.html", {"up": "./"})


def test_characters_that_html_forbids_are_replaced() -> None:
    assert rendering._showable("a\x00b\x1bc\ufffed\ue000") == "a\ufffdb\ufffdc\ufffdd\ue000"
    assert rendering._showable("tab\tand\nline") == "tab\tand\nline"
    assert rendering._showable(7) == 7


async def test_the_root_of_the_port_leads_to_the_page(world: PageWorld) -> None:
    for path in ("/", "/ui"):
        answer = await world.get(path)
        assert (answer.status, answer.headers["location"]) == (303, "./ui/")


def test_every_route_of_the_page_is_below_its_root() -> None:
    world: MagicMock = MagicMock()
    paths = {route.path for route in operator_page_routes(world, world, world, world, "1")}
    assert all(path in ("/", "/ui") or path.startswith("/ui/") for path in paths)
