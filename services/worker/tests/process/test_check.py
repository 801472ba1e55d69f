"""`poolworker check` on a real chain and engine: it finds and names what keeps a host from working.

`make soak` runs the same tests with the binary that operators install.
"""

import os
from pathlib import Path

import pytest
from small_volumes import MountVolume
from workerpool_poco.chain.wallet import Wallet

from services.worker.tests.harness.pool import Pool
from services.worker.tests.harness.poolworker import MODULE, poolworker
from services.worker.tests.harness.worker_binary import built_archive, unpack
from services.worker.tests.harness.worker_process import PASSWORD, WorkerProcess
from services.worker.tests.process.test_wrong_clock import LIBRARIES

pytestmark = pytest.mark.e2e

NAMED_TOGETHER = {
    "NO_ENGINE": "DOCKER_HOST",
    "WRONG_PASSWORD": "IEXEC_WORKER_WALLET_PASSWORD",
    "DISK_FULL": "WORKERPOOL_WORKER_DISK_FLOOR_BYTES",
    "NOT_WHITELISTED": "IEXEC_WORKERS_WHITELIST",
    "WRONG_VERSION": "9.9.9",
}
"""Problems that a host may have all at once, and what the next step of each names."""
Program = tuple[str, ...]


@pytest.fixture(scope="module", params=["module", pytest.param("binary", marks=pytest.mark.soak)])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The command as it runs from the source, and as a binary."""
    if request.param == "module":
        return MODULE
    return (unpack(built_archive(), tmp_path_factory.mktemp("binary") / "opt"),)


async def test_a_host_that_can_work(pool: Pool, worker: WorkerProcess, program: Program) -> None:
    answer = await poolworker(worker.environment, "check", "--json", program=program)
    assert answer.problems() == {}, answer.text
    assert answer.code == 0
    subjects = {each["subject"] for each in answer.document if each["severity"] == "ok"}
    assert {"wallet", "engine", "shared folder", "clock", "scheduler", "version", "admission"} <= subjects
    assert {"node", "stake", "gas", "result proxy"} <= subjects
    assert not worker.folder.exists()


async def test_everything_that_is_wrong_is_named_at_once(
    pool: Pool, worker: WorkerProcess, program: Program, small_volume: MountVolume
) -> None:
    pool.core.configuration.required_worker_version = "9.9.9"
    pool.core.excluded.add(pool.worker.address)
    changes = {
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        "IEXEC_WORKER_WALLET_PASSWORD": "wrong",
        "IEXEC_WORKER_BASE_DIR": str(small_volume(16 << 20).path),
    }
    answer = await poolworker(worker.environment | changes, "check", "--json", program=program)
    found = answer.problems()
    assert found.keys() == NAMED_TOGETHER.keys()
    assert answer.code == 1
    unnamed = {code for code, word in NAMED_TOGETHER.items() if word not in found[code]["next_step"]}
    assert unnamed == set(), found


async def test_a_wallet_without_stake_and_gas(
    pool: Pool, worker: WorkerProcess, program: Program, tmp_path: Path
) -> None:
    poor = tmp_path / "poor.json"
    Wallet.create().write_keystore(poor, PASSWORD, light=True)
    environment = worker.environment | {"IEXEC_WORKER_WALLET_PATH": str(poor)}
    answer = await poolworker(environment, "check", "--json", program=program)
    found = answer.problems()
    assert found.keys() == {"NO_STAKE", "NO_GAS"}
    assert "poolworker stake" in found["NO_STAKE"]["next_step"]
    assert "coins of the chain" in found["NO_GAS"]["next_step"]


@pytest.mark.parametrize("offset", ["+1h", "-1h"])
async def test_a_clock_that_is_an_hour_off(
    pool: Pool, worker: WorkerProcess, program: Program, offset: str
) -> None:
    library = next(filter(os.path.exists, LIBRARIES), None)
    if library is None:
        pytest.skip("NO FAKETIME: install the Debian package faketime; the clock test did not run")
    fake = {"LD_PRELOAD": library, "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    answer = await poolworker(worker.environment | fake, "check", "--json", program=program)
    found = answer.problems()
    assert found.keys() == {"CLOCK_WRONG"}, answer.text
    assert "h" in found["CLOCK_WRONG"]["message"]
    assert "timedatectl set-ntp true" in found["CLOCK_WRONG"]["next_step"]


async def test_a_scheduler_that_is_unreachable(pool: Pool, worker: WorkerProcess, program: Program) -> None:
    await pool.core.stop()
    answer = await poolworker(worker.environment, "check", program=program)
    assert answer.code == 1
    assert "[CORE_UNREACHABLE]" in answer.text
    assert "IEXEC_CORE_URL" in answer.text
    await pool.core.start()


async def test_a_base_folder_that_the_engine_does_not_see(
    pool: Pool, worker: WorkerProcess, program: Program, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("NO ROOT: a mount namespace of the command needs it")
    base = tmp_path / "base"
    base.mkdir()
    # The command sees a file system of its own, as a worker in a container without the right volume does.
    hidden = ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {base} && exec "$@"', "sh")
    environment = worker.environment | {"WORKERPOOL_WORKER_DISK_FLOOR_BYTES": "0"}
    answer = await poolworker(environment, "check", "--json", prefix=hidden, program=program)
    assert answer.problems().keys() == {"BASE_FOLDER_UNSEEN"}, answer.text
    assert str(base) in answer.problems()["BASE_FOLDER_UNSEEN"]["next_step"]


async def test_an_unusable_environment_is_exit_code_2(pool: Pool, worker: WorkerProcess) -> None:
    changes = {"POOL_ADDRESS": "0x0", "IEXEC_WORKER_TYPO": "1"}
    answer = await poolworker(worker.environment | changes, "check", "--json")
    assert answer.code == 2
    told = [each["message"] for each in answer.document]
    assert any("POOL_ADDRESS" in each for each in told)
    assert any("IEXEC_WORKER_TYPO" in each for each in told)


@pytest.mark.parametrize(("required", "code"), [("", 0), ("9.9.9", 4)])
async def test_update_check_compares_with_what_the_pool_requires(
    pool: Pool, worker: WorkerProcess, required: str, code: int
) -> None:
    pool.core.configuration.required_worker_version = required
    answer = await poolworker(worker.environment, "update-check")
    assert answer.code == code
    assert required in answer.text
