"""The methods of the operator over HTTP: every status (scenario 38: backup and restore)."""

import asyncio
import json
from pathlib import Path
from typing import Any

from workerpool_sms.domain.secrets import SecretKind

from services.sms.tests.doubles.chain import REQUESTER, WORKER

API_KEY = "admin-key"


def spelled(path: Path) -> str:
    return str(path).encode().hex()


async def admin(client: Any, method: str, path: str, key: str = API_KEY) -> int:
    return int((await client.http(method, path, x_api_key=key)).status)


async def test_38_every_method_and_status(client: Any) -> None:
    folder = client.sms.folder / "copies"
    folder.mkdir()
    storage, outside = spelled(folder), spelled(Path("/etc"))
    assert await admin(client, "POST", "/admin/backup", "wrong") == 401
    assert await admin(client, "POST", "/admin/backup") == 201
    assert await admin(client, "POST", f"/admin/{storage}/replicate-backup?fileName=a.dump") == 200
    assert await admin(client, "POST", f"/admin/{storage}/replicate-backup") == 400
    assert await admin(client, "POST", f"/admin/{storage}/replicate-backup?fileName=../a") == 400
    assert await admin(client, "POST", f"/admin/{outside}/replicate-backup?fileName=a.dump") == 400
    assert await admin(client, "POST", "/admin/zz/restore-backup?fileName=a.dump") == 400
    assert await admin(client, "POST", f"/admin/{storage}/restore-backup?fileName=b.dump") == 404
    assert await admin(client, "POST", f"/admin/{storage}/restore-backup?fileName=a.dump") == 200
    copy = f"/admin/{storage}/copy-to/{spelled(client.sms.folder)}?fileName=a.dump&destinationFileName=c.dump"
    assert await admin(client, "POST", copy) == 200
    assert (client.sms.folder / "c.dump.key").exists()
    assert await admin(client, "DELETE", f"/admin/{storage}/delete-backup?fileName=a.dump", "") == 401
    assert await admin(client, "DELETE", f"/admin/{storage}/delete-backup?fileName=a.dump") == 200
    assert await admin(client, "DELETE", f"/admin/{storage}/delete-backup?fileName=a.dump") == 404
    assert not list(folder.iterdir())


async def test_38_a_running_method_answers_429_and_a_restore_503(client: Any) -> None:
    async with client.sms.gate.admin("a test"):
        assert await admin(client, "POST", "/admin/backup") == 429
        assert (await client.http("GET", "/tee/framework")).status == 200
    async with client.sms.gate.admin("a test", restores=True):
        assert await admin(client, "POST", "/admin/backup") == 503
        head = await client.http("HEAD", "/secrets/web3?secretAddress=0x" + "11" * 20)
        assert head.status == 503
    await asyncio.sleep(0)
    assert await admin(client, "POST", "/admin/backup") == 201


async def test_the_secrets_of_wallets_are_listed_and_removed(client: Any) -> None:
    sms = client.sms
    for key in ("a", "b"):
        await sms.push(SecretKind.WEB2, REQUESTER.address, key, "junk", REQUESTER)
    await sms.push_token()
    assert await admin(client, "GET", "/admin/secrets", "wrong") == 401
    listed = await client.http("GET", "/admin/secrets?pageSize=1", x_api_key=API_KEY)
    first = json.loads(listed.text)
    assert (listed.status, len(first["owners"])) == (200, 1)
    size = first["owners"][0].pop("bytes")
    assert size > 0
    assert first["owners"] == [
        {"wallet": REQUESTER.address, "secrets": 2, "kinds": {"web2": 2}, "deposit": "0"}
    ]
    following = f"/admin/secrets?pageToken={first['nextPageToken']}"
    second = json.loads((await client.http("GET", following, x_api_key=API_KEY)).text)
    assert [each["wallet"] for each in second["owners"]] == [WORKER.address]
    assert second["nextPageToken"] == ""
    for wrong in ("pageSize=0", "pageSize=x", "pageSize=101", "pageToken=x"):
        assert await admin(client, "GET", f"/admin/secrets?{wrong}") == 400

    wallet = f"/admin/secrets?wallet={REQUESTER.address}"
    assert await admin(client, "DELETE", wallet, "wrong") == 401
    assert await admin(client, "DELETE", "/admin/secrets") == 400
    async with sms.gate.admin("a test"):
        assert await admin(client, "DELETE", wallet) == 429
    removed = await client.http("DELETE", wallet, x_api_key=API_KEY)
    assert (removed.status, json.loads(removed.text)) == (200, {"removed": 2})
    assert await admin(client, "GET", "/admin/secrets") == 200
