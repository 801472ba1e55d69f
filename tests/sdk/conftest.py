"""Fixtures of the tests with published command lines: a devnet, its user, and its logs after a failure.

Each release has a file and a devnet of its own, so that `pytest -n 2 --dist loadfile -m soak tests/sdk` shares the
commands, 1.5 s of processor time each, evenly between two processors.
`make test-full` runs the essence of each release in two files, each on one devnet.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

import pytest
import pytest_asyncio

from sdk.surroundings import Surroundings
from sdk.users import Served, running, served_by

_LOG_LINES_SHOWN = 40
_QUIET_LOGS = ("chain.log", "mongod.log")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the ends of the process logs to a failure: the devnet removes its log folder."""
    report = yield
    around = getattr(item, "funcargs", {}).get("around")
    if report.failed and isinstance(around, Surroundings):
        for path in sorted(around.logs.glob("*.log")):
            if path.name not in _QUIET_LOGS:
                lines = path.read_text(errors="replace").splitlines()[-_LOG_LINES_SHOWN:]
                report.sections.append((f"end of {path.name}", "\n".join(line[:400] for line in lines)))
    return report


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def around(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Surroundings]:
    """Run the devnet that the module's OPTIONS describe."""
    async with running(request.module.OPTIONS, tmp_path_factory.mktemp("devnet")) as surroundings:
        yield surroundings


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    request: pytest.FixtureRequest, around: Surroundings, tmp_path_factory: pytest.TempPathFactory
) -> Served:
    """Return the user of the module's RELEASE, set up once."""
    return await served_by(around, request.module.RELEASE, tmp_path_factory.mktemp("user"))
