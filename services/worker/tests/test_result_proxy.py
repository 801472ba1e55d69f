"""Connections to result proxies: requesters name them, so their number is bounded."""

import pytest
from workerpool_poco.authorization import WorkerpoolAuthorization
from workerpool_poco.ids import ZERO_ADDRESS
from workerpool_worker.errors import UploadUnavailable
from workerpool_worker.result_proxy import KEPT_CONNECTIONS, GrpcResultStore


async def test_connections_to_proxies_do_not_pile_up(tmp_path):
    store = GrpcResultStore(lambda digest: bytes(65))
    authorization = WorkerpoolAuthorization(ZERO_ADDRESS, bytes(32), ZERO_ADDRESS, bytes(32), 0, b"")
    for host in range(1, 2 * KEPT_CONNECTIONS):
        with pytest.raises(UploadUnavailable):
            await store.upload(f"http://127.0.0.{host}:9", authorization, tmp_path / "archive", "0x")
    assert len(store._connections) == KEPT_CONNECTIONS
    await store.close()
