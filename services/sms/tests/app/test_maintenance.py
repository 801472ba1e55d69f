"""The rotation of keys, the counts, and the loop of the background work."""

import asyncio

import pytest
from patience import PATIENCE_S
from workerpool_kit.errors import DatabaseUnavailable
from workerpool_sms.app.maintenance import KeyRotation, MetricsRefresh, repeat
from workerpool_sms.domain.secrets import SecretKind, SecretName

from services.sms.tests.doubles.chain import APP, DEVELOPER, REQUESTER, TASK_ID
from services.sms.tests.instance import Instance


async def test_a_new_key_wraps_every_row_again_and_values_stay_readable(sms: Instance) -> None:
    for number in range(3):
        await sms.push(SecretKind.REQUESTER, REQUESTER.address, f"s{number}", f"v{number}", REQUESTER)
    challenge = await sms.challenge()
    rotation = KeyRotation(sms.rows, sms.vault, sms.gate, sms.keys.reload)
    assert await rotation.run() == 0
    before = dict(sms.stored.rows)
    old = sms.vault.current_key_id
    new = sms.keys.rotate()
    assert await rotation.run() == 4
    assert await sms.rows.key_ids() == {new: 4}
    for name, row in sms.stored.rows.items():
        assert row.content == before[name].content, "only the data key is encrypted again"
        assert row.data_key != before[name].data_key
    assert await sms.secrets.read(SecretName.parse(SecretKind.REQUESTER, REQUESTER.address, "s2")) == "v2"
    assert await sms.enclave_challenges.private_key(TASK_ID, challenge)
    # Nothing needs the old key any more.
    sms.keys.keys = tuple(key for key in sms.keys.keys if key.key_id != old)
    assert await sms.secrets.read(SecretName.parse(SecretKind.REQUESTER, REQUESTER.address, "s0")) == "v0"
    assert await rotation.run() == 0


async def test_rows_and_cached_answers_are_counted(sms: Instance) -> None:
    await sms.push(SecretKind.REQUESTER, REQUESTER.address, "s", "v", REQUESTER)
    await sms.push(SecretKind.APP_DEVELOPER, APP, "1", "v", DEVELOPER)
    await sms.challenge()
    await MetricsRefresh(sms.stored, sms.challenges, sms.cache, sms.metrics).refresh()
    assert sms.metrics.rows == {
        "web2": 0,
        "web3": 0,
        "compute": 2,
        "tee_challenges": 1,
        "ethereum_credentials": 1,
    }
    assert sms.metrics.in_cache == {"web2": 0, "web3": 0, "compute": 2}


async def test_a_failure_is_repeated_in_the_next_turn() -> None:
    turns = 0
    done = asyncio.Event()

    async def action() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise DatabaseUnavailable("the database does not answer")
        done.set()

    repeating = asyncio.create_task(repeat(action, 0.001, "a test"))
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
    repeating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await repeating
