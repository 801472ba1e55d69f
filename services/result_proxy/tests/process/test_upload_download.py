"""Tokens, uploads and downloads on real contracts, a real database and a real process."""

import asyncio
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import grpc
import pymongo
import pytest
from workerpool_poco.protocol.ids import parse_deal_id, parse_task_id, to_hex
from workerpool_protocol.result_proxy.v1 import result_service_pb2 as pb

from services.result_proxy.tests.wire import token_request_without_challenge


async def test_a_revealed_result_is_stored_and_read_without_authentication(proxy: Any, on_chain: Any) -> None:
    task = on_chain.revealed()
    link = await proxy.upload_task(task)
    assert json.loads(link) == {"storage": "ipfs", "location": f"/results/{task.task_id}"}

    described = (await proxy.stub.GetResult(pb.GetResultRequest(task_id=task.task_id))).result
    assert described.size == len(task.archive)
    assert described.sha256 == to_hex(hashlib.sha256(task.archive).digest())
    assert described.result_digest == to_hex(task.digest)
    assert described.uploader == task.worker.address
    assert described.result_link == link

    header, content = await proxy.download(task.task_id)
    assert (header, content) == (described, task.archive)

    answer = await proxy.fetch(json.loads(link)["location"])
    assert answer.headers["content-type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).read("r.txt") == b"a result"


async def test_an_interrupted_download_is_resumed(proxy: Any, on_chain: Any, client: Any) -> None:
    noise = hashlib.shake_256(b"noise").digest(2_500_000)
    task = on_chain.revealed(noise)
    await proxy.upload_task(task)
    size = len(task.archive)
    for offset in (1, 1 << 20, (1 << 20) + 1, size - 1, size):
        assert (await proxy.download(task.task_id, offset))[1] == task.archive[offset:]

    path = f"/results/{task.task_id}"
    part = await proxy.fetch(path, range="bytes=1000000-2000000")
    assert part.status_code == 206
    assert part.content == task.archive[1_000_000:2_000_001]
    assert part.headers["content-range"] == f"bytes 1000000-2000000/{size}"
    assert (await proxy.fetch(path, "HEAD")).headers["content-length"] == str(size)
    assert (await proxy.fetch(path, range=f"bytes={size}-")).status_code == 416
    assert (await proxy.fetch(path, if_none_match=part.headers["etag"])).status_code == 304


async def test_a_result_is_never_overwritten(proxy: Any, on_chain: Any, client: Any, refused: Any) -> None:
    """Scenario 34: a second upload is refused with the stored link, whatever its content."""
    task = on_chain.revealed()
    link = await proxy.upload_task(task)
    async with refused("RESULT_ALREADY_EXISTS") as same:
        await proxy.upload_task(task)
    assert same.code is grpc.StatusCode.ALREADY_EXISTS
    assert same.details["result_link"] == link
    assert same.details["uploader"] == task.worker.address
    other = client.zipped({**client.result_files(b"a result"), "extra": b"more"})
    async with refused("RESULT_ALREADY_EXISTS"):
        await proxy.upload_task(task, other)
    assert (await proxy.download(task.task_id))[1] == task.archive


async def test_of_two_uploads_at_once_exactly_one_is_stored(proxy: Any, on_chain: Any) -> None:
    task = on_chain.revealed()
    outcomes = await asyncio.gather(*(proxy.upload_task(task) for _ in range(4)), return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, str)]) == 1
    assert {o.code() for o in outcomes if isinstance(o, grpc.aio.AioRpcError)} == {
        grpc.StatusCode.ALREADY_EXISTS
    }
    assert (await proxy.download(task.task_id))[1] == task.archive


class TestTokens:
    async def test_another_wallet_cannot_request_a_token_for_the_worker(
        self, proxy: Any, on_chain: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        async with refused("NOT_SIGNED_BY_WORKER") as answer:
            await proxy.token(task.authorization, on_chain.stranger)
        assert answer.code is grpc.StatusCode.UNAUTHENTICATED

    async def test_an_authorization_signed_by_another_than_the_pool_owner(
        self, proxy: Any, on_chain: Any, refused: Any
    ) -> None:
        deal_id, task_id = on_chain.buy()
        worker = on_chain.worker
        async with refused("INVALID_SIGNATURE"):
            await proxy.token(on_chain.authorize(deal_id, task_id, worker, by=worker), worker)

    async def test_an_unknown_task(self, proxy: Any, on_chain: Any, refused: Any) -> None:
        worker = on_chain.worker
        async with refused("GET_CHAIN_TASK_FAILED") as answer:
            await proxy.token(
                on_chain.authorize(parse_deal_id(bytes(32)), parse_task_id(bytes([9] * 32)), worker), worker
            )
        assert answer.code is grpc.StatusCode.NOT_FOUND

    async def test_an_enclave_challenge_for_a_standard_task(
        self, proxy: Any, on_chain: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        asked = replace(task.authorization, enclave_challenge=task.worker.address)
        async with refused("NO_MATCH_ONCHAIN_TYPE"):
            await proxy.token(asked, task.worker)

    async def test_a_worker_of_release_0_1_0_needs_no_challenge(
        self, proxy: Any, on_chain: Any, client: Any
    ) -> None:
        task = on_chain.revealed()
        request = token_request_without_challenge(task.authorization, task.worker)
        token = (await proxy.stub.IssueToken(request)).token
        assert await proxy.upload(token, client.messages(task))

    async def test_another_wallet_cannot_sign_without_a_challenge_either(
        self, proxy: Any, on_chain: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        async with refused("NOT_SIGNED_BY_WORKER"):
            await proxy.stub.IssueToken(
                token_request_without_challenge(task.authorization, on_chain.stranger)
            )

    @pytest.mark.parametrize(
        ("left_out", "reason"), [("audience", "WRONG_AUDIENCE"), ("nonce", "BAD_CHALLENGE")]
    )
    async def test_half_a_challenge_is_refused(
        self, proxy: Any, on_chain: Any, refused: Any, left_out: str, reason: str
    ) -> None:
        task = on_chain.revealed()
        request = await proxy.token_request(task.authorization, task.worker)
        request.ClearField(left_out)
        async with refused(reason):
            await proxy.stub.IssueToken(request)

    async def test_malformed_requests(self, proxy: Any, refused: Any) -> None:
        async with refused("INVALID_ARGUMENT"):
            await proxy.stub.IssueToken(pb.IssueTokenRequest())

    @pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJub25lIn0.e30."])
    async def test_uploading_with_a_bad_token(
        self, proxy: Any, on_chain: Any, client: Any, token: Any
    ) -> None:
        task = on_chain.revealed()
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await proxy.upload(token, client.messages(task))
        assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED


class TestRights:
    async def test_a_token_is_valid_only_for_authorized_tasks(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        stranger = on_chain.stranger
        own = on_chain.authorize(task.authorization.deal_id, task.task_id, stranger)
        other_deal, other_task = on_chain.buy()
        token = await proxy.token(on_chain.authorize(other_deal, other_task, stranger), stranger)
        async with refused("NO_AUTHORIZATION_FOR_TASK"):
            await proxy.upload(token, client.messages(task))
        # Authorized, but without a contribution of its own.
        token = await proxy.token(own, stranger)
        async with refused("CONTRIBUTION_NOT_REVEALED"):
            await proxy.upload(token, client.messages(task))

    async def test_a_task_without_contribution(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        """Scenario 34: no contribution."""
        revealed = on_chain.revealed()
        deal_id, task_id = on_chain.buy()
        authorization = on_chain.authorize(deal_id, task_id, revealed.worker)
        async with refused("TASK_NOT_REVEALING"):
            await proxy.upload_task(replace(revealed, task_id=task_id, authorization=authorization))

    async def test_a_contribution_that_is_never_revealed(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = contributed(on_chain)
        async with refused("CONTRIBUTION_NOT_REVEALED"):
            await proxy.upload_task(replace(task, archive=client.zipped(client.result_files(b"x"))))

    async def test_a_reveal_that_the_node_sees_during_the_upload(
        self, proxy: Any, on_chain: Any, client: Any
    ) -> None:
        task = contributed(on_chain)
        task = replace(task, archive=client.zipped(client.result_files(b"x")))
        upload = asyncio.create_task(proxy.upload_task(task))
        done, _ = await asyncio.wait([upload], timeout=0.5)
        assert not done, "the upload must wait for the reveal"
        await asyncio.to_thread(on_chain.reveal, task.task_id, task.worker, task.digest)
        assert json.loads(await upload)["location"] == f"/results/{task.task_id}"

    async def test_a_callback_task(self, proxy: Any, on_chain: Any, client: Any, refused: Any) -> None:
        deal_id, task_id = on_chain.buy(callback=on_chain.pool)
        task = replace(
            on_chain.revealed(),
            task_id=task_id,
            authorization=on_chain.authorize(deal_id, task_id, on_chain.worker),
        )
        async with refused("CALLBACK_TASK"):
            await proxy.upload_task(task)


def contributed(on_chain: Any) -> Any:
    """Return a task whose worker contributed the digest of `x` and has not revealed it."""
    template = on_chain.revealed()
    deal_id, task_id = on_chain.buy()
    authorization = on_chain.authorize(deal_id, task_id, template.worker)
    digest = hashlib.sha256(b"x").digest()
    on_chain.contribute(authorization, template.worker, digest)
    return replace(template, task_id=task_id, authorization=authorization, digest=digest)


class TestStreams:
    async def test_an_archive_of_other_content(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        async with refused("RESULT_HASH_MISMATCH") as answer:
            await proxy.upload_task(task, client.zipped(client.result_files(b"something else")))
        assert answer.message.startswith("the archive")
        await proxy.upload_task(task)  # the refused upload left nothing

    async def test_a_declared_digest_that_is_not_on_chain(
        self, proxy: Any, on_chain: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        async with refused("RESULT_HASH_MISMATCH") as answer:
            await proxy.upload_task(task, digest=bytes([5] * 32))
        assert answer.message.startswith("the declared digest")

    async def test_an_archive_above_the_limit(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        """The header alone is refused: the caller sends no byte."""
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)

        async def header_then_nothing() -> AsyncIterator[pb.UploadRequest]:
            yield client.header_of(task, task.archive, size=1 << 40)
            await asyncio.Event().wait()

        async with refused("RESULT_TOO_LARGE") as answer:
            await proxy.upload(token, header_then_nothing())
        assert answer.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert answer.details["max_size"] == str(8 << 20)

    @pytest.mark.parametrize("difference", [-1, 1])
    async def test_more_or_fewer_bytes_than_declared(
        self, proxy: Any, on_chain: Any, refused: Any, difference: Any
    ) -> None:
        task = on_chain.revealed()
        async with refused("RESULT_SIZE_MISMATCH"):
            await proxy.upload_task(task, size=len(task.archive) + difference)

    async def test_bytes_damaged_on_the_way(self, proxy: Any, on_chain: Any, refused: Any) -> None:
        task = on_chain.revealed()
        async with refused("RESULT_CHECKSUM_MISMATCH"):
            await proxy.upload_task(task, sha256=bytes([1] * 32))

    async def test_chunks_without_header_and_two_headers(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)
        header = client.header_of(task, task.archive)
        for stream in ([], [pb.UploadRequest(chunk=b"x")], [header, header]):
            async with refused("UPLOAD_HEADER_EXPECTED"):
                await proxy.upload(token, iter(stream))

    async def test_an_idle_stream_is_ended(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)

        async def stalls() -> AsyncIterator[pb.UploadRequest]:
            yield client.header_of(task, task.archive)
            yield pb.UploadRequest(chunk=task.archive[:10])
            await asyncio.Event().wait()

        async with refused("UPLOAD_STALLED"):
            await proxy.upload(token, stalls())

    async def test_a_chunk_that_is_too_large(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        token = await proxy.token(task.authorization, task.worker)
        too_much = pb.UploadRequest(chunk=bytes((1 << 20) + 1))
        async with refused("INVALID_ARGUMENT"):
            await proxy.upload(token, iter([client.header_of(task, bytes(2 << 20)), too_much]))

    async def test_archives_that_cannot_be_accepted(
        self, proxy: Any, on_chain: Any, client: Any, refused: Any
    ) -> None:
        task = on_chain.revealed()
        for archive, reason in (
            (b"not a zip", "ARCHIVE_BROKEN"),
            (client.zipped({"../r.txt": b"a result"}), "ARCHIVE_UNSAFE_PATH"),
            (client.zipped({"r.txt": b"a result"}), "RESULT_DIGEST_COMPUTATION_FAILED"),
        ):
            async with refused(reason):
                await proxy.upload_task(task, archive)

    async def test_temporary_files_are_removed(self, proxy: Any, on_chain: Any, refused: Any) -> None:
        # What other tests broke off is kept for its continuation.
        kept = set(proxy.temporary_files())
        await proxy.upload_task(on_chain.revealed())
        async with refused("ARCHIVE_BROKEN"):
            await proxy.upload_task(on_chain.revealed(), b"not a zip")
        assert set(proxy.temporary_files()) <= kept


async def test_a_result_that_the_database_lost_in_part_is_named_and_the_rest_readable(
    own_proxy: Any, on_chain: Any, mongod: Any, refused: Any, client: Any
) -> None:
    proxy = own_proxy()
    task = on_chain.revealed(hashlib.shake_256(b"noise").digest(6 << 20))
    await proxy.upload_task(task)
    path = f"/results/{task.task_id}"
    with pymongo.MongoClient[Any](mongod.uri) as mongo:
        chunks: Any = mongo[proxy.environment["MONGO_DATABASE"]]["archives.chunks"]
        chunks.delete_one({"n": 4})
        answer = await proxy.fetch(path)
        assert (answer.status_code, answer.json()["code"]) == (500, "RESULT_BYTES_MISSING")
        assert "lacks n = 4; tell the pool's operator to restore it" in answer.json()["error"]
        async with refused("RESULT_BYTES_MISSING") as broken:
            await proxy.download(task.task_id)
        assert broken.code is grpc.StatusCode.DATA_LOSS
        assert "operator" in broken.message
        assert broken.details["task"] == task.task_id
        part = await proxy.fetch(path, range="bytes=0-4194303")
        assert (part.status_code, part.content) == (206, task.archive[: 4 << 20])
        # A chunk that lost bytes is met on the way: the answer ends there.
        chunks.update_one({"n": 2}, {"$set": {"data": b"cut"}})
        with pytest.raises(aiohttp.ClientPayloadError):
            await proxy.fetch(path, range="bytes=0-4194303")
        async with refused("RESULT_BYTES_MISSING"):
            await proxy.download(task.task_id, 2 << 20)
    # Log lines are written by a thread.
    await client.eventually(lambda: proxy.process.log.read_text().count("result.bytes_lost") == 4)
    log = proxy.process.log.read_text()
    assert "result.download_broken" in log
    assert "Traceback" not in log
    assert proxy.health() == 200


class TestReading:
    async def test_an_unknown_task(self, proxy: Any, refused: Any) -> None:
        unknown = parse_task_id(bytes([3] * 32))
        async with refused("RESULT_NOT_FOUND"):
            await proxy.stub.GetResult(pb.GetResultRequest(task_id=unknown))
        async with refused("RESULT_NOT_FOUND"):
            await proxy.download(unknown)
        for name in (unknown, "nonsense", "0x12"):
            answer = await proxy.fetch(f"/results/{name}")
            assert (answer.status_code, answer.json()["code"]) == (404, "RESULT_NOT_FOUND")

    async def test_an_offset_after_the_end(self, proxy: Any, on_chain: Any, refused: Any) -> None:
        task = on_chain.revealed()
        await proxy.upload_task(task)
        async with refused("OFFSET_BEYOND_END"):
            await proxy.download(task.task_id, len(task.archive) + 1)
