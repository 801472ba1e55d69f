"""The Dockerfile without Docker: one pattern for all services, which compose.yaml builds and checks as it says."""

import importlib
import json
import re
from typing import Any

import pytest

from stack.compose_files import POOL, ROOT, WORKER
from stack.test_compose_files import OURS, containers

TEXT = (ROOT / "deploy/Dockerfile").read_text()
STAGE = re.compile(r"^FROM (?P<base>\S+) AS (?P<name>\S+)$", re.MULTILINE)
BUILT = [
    pytest.param(service, path, id=service)
    for path in (POOL, WORKER)
    for service in containers(path)
    if service in OURS
]


def stages() -> dict[str, tuple[str, str]]:
    """Return base and instructions of each stage, with continued lines joined."""
    found = list(STAGE.finditer(TEXT))
    ends = [*(each.start() for each in found[1:]), len(TEXT)]
    return {
        each["name"]: (each["base"], TEXT[each.end() : end].replace("\\\n", " "))
        for each, end in zip(found, ends, strict=True)
    }


def instruction(name: str, word: str) -> str:
    (line,) = re.findall(rf"^{word} (.*)$", stages()[name][1], re.MULTILINE)
    return str(line)


@pytest.mark.parametrize(("service", "path"), BUILT)
def test_compose_builds_the_stage_of_the_service_with_arguments_that_exist(service: str, path: Any) -> None:
    build = containers(path)[service]["build"]
    assert build["target"] == build["args"]["SERVICE"] == OURS[service]
    assert (path.parent / build["context"] / build["dockerfile"]).resolve() == ROOT / "deploy/Dockerfile"
    declared = set(re.findall(r"^ARG (\w+)", TEXT, re.MULTILINE))
    assert set(build["args"]) <= declared


@pytest.mark.parametrize(("service", "path"), BUILT)
def test_image_and_compose_check_the_same_port_of_the_service(service: str, path: Any) -> None:
    asked = json.loads(instruction(OURS[service], "HEALTHCHECK").partition("CMD ")[2])
    assert containers(path)[service]["healthcheck"]["test"] == ["CMD", *asked]
    module = importlib.import_module(f"workerpool_{OURS[service]}.settings")
    variable, port = asked[-1].split("=")
    (field,) = [
        info
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__ and hasattr(each, "model_fields")
        for info in each.model_fields.values()
        if (info.json_schema_extra or {}).get("variable") == variable
    ]
    assert field.default == int(port)
    assert port in instruction(OURS[service], "EXPOSE").split()


def test_every_service_is_a_stage_of_one_pattern_that_is_not_root() -> None:
    services = {path.parent.name for path in ROOT.glob("services/*/pyproject.toml")}
    found = stages()
    assert set(found) == {"build", "runtime", *services}
    assert {found[name][0] for name in services} == {"runtime"}
    assert instruction("runtime", "USER") == "10001:10001"
    assert [name for name in services if "USER" in found[name][1]] == ["worker"]
    for name in services:
        assert json.loads(instruction(name, "ENTRYPOINT"))[:2] == ["python3", "-m"]
        assert "org.opencontainers.image.title" in instruction(name, "LABEL")


def test_both_base_images_are_arguments() -> None:
    assert [stages()[name][0] for name in ("build", "runtime")] == ["${BUILD_IMAGE}", "${RUNTIME_IMAGE}"]


def test_what_is_copied_is_not_ignored() -> None:
    ignored = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--from)(.*)$", TEXT, re.MULTILINE):
        for source in line.split()[:-1]:
            top = "/".join(source.split("/")[:2]) if source.startswith("tools/") else source.split("/")[0]
            assert f"!{top}" in ignored, source
            assert "${" in source or (ROOT / source).exists(), source
