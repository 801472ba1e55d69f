"""The HTTP endpoints of older clients, over memory."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from workerpool_kit.access.tokens import Tokens
from workerpool_kit.health import Health
from workerpool_kit.http.server import HttpServer
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import WorkerpoolAuthorization, sign_authorization
from workerpool_poco.protocol.encoding.typed_data import LogChallenge, sign_challenge
from workerpool_poco.protocol.ids import to_hex
from workerpool_poco.protocol.model import Resource
from workerpool_result_proxy.api.http_routes import routes
from workerpool_result_proxy.api.login_routes import login_routes
from workerpool_result_proxy.api.older_routes import older_routes
from workerpool_result_proxy.app.challenge import Challenges
from workerpool_result_proxy.app.gateway import Gateway
from workerpool_result_proxy.app.issue_token import IssueToken
from workerpool_result_proxy.app.login import DOMAIN_NAME, Login
from workerpool_result_proxy.app.read_result import ReadResult
from workerpool_result_proxy.domain.results import GRIDFS

from services.result_proxy.tests.doubles.keys import MemoryKeys
from services.result_proxy.tests.world import DEAL, TASK, World

CHAIN_ID = 65535


class Served:
    """A proxy over memory with one revealed task, and a client of it."""

    def __init__(self, world: World) -> None:
        self.world, self.owner, self.worker = world, Wallet.create(), Wallet.create()
        pool = Resource("0x" + "44" * 20, self.owner.address, 0)
        world.chain.deals[DEAL] = replace(world.deal, workerpool=pool)
        deadline = int(world.clock.now()) + 1000
        world.chain.tasks[TASK] = replace(world.task, final_deadline=deadline)
        world.reveal_for(self.worker.address)
        tokens = Tokens(
            MemoryKeys(),
            issuer="proxy",
            audience="proxy",
            lifetime_s=60,
            rotate_after_s=60,
            clock=world.clock,
        )
        challenges = Challenges(tokens, world.clock, audience="http://localhost")
        issue = IssueToken(world.chain, world.store, tokens, challenges, world.clock, only_pool=None)
        results = ReadResult(world.store, {GRIDFS: world.archives})
        self.server = HttpServer(
            0,
            health=Health(),
            version="1",
            routes=[
                *login_routes(Login(tokens, world.clock, chain_id=CHAIN_ID)),
                *older_routes(tokens, issue, world.use_case(), results),
                *routes(results, Gateway(None)),
            ],
            host="127.0.0.1",
        )

    async def call(self, method: str, path: str, **request: Any) -> tuple[int, Any, str]:
        """Return status, parsed JSON or None, and text."""
        base = f"http://127.0.0.1:{self.server.port}"
        async with aiohttp.ClientSession(base) as http, http.request(method, path, **request) as answer:
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else None, await answer.text()

    def authorization(self, *, signer: Wallet | None = None) -> WorkerpoolAuthorization:
        return sign_authorization(
            signer or self.owner, worker=self.worker.address, task_id=TASK, deal_id=DEAL, task_index=0
        )

    async def request_token(
        self, given: WorkerpoolAuthorization, *, signer: Wallet | None = None, **changes: Any
    ) -> tuple[int, Any, str]:
        body = {
            "chainTaskId": given.task_id,
            "workerWallet": given.worker,
            "enclaveChallenge": given.enclave_challenge,
            "signature": {"value": to_hex(given.signature)},
            **changes,
        }
        signature = to_hex((signer or self.worker).sign_message_hash(given.hash))
        return await self.call("POST", "/v1/results/token", json=body, headers={"Authorization": signature})

    async def token(self) -> str:
        status, _, text = await self.request_token(self.authorization())
        assert status == 200
        return text

    async def upload(self, token: str, **changes: Any) -> tuple[int, Any, str]:
        model = {
            "chainTaskId": TASK,
            "dealId": DEAL,
            "taskIndex": 0,
            "zip": base64.b64encode(self.world.archive).decode(),
            "deterministHash": "",
            "enclaveSignature": "",
            **changes,
        }
        return await self.call("POST", "/v1/results", json=model, headers={"Authorization": token})


@pytest.fixture
async def served(world: World) -> AsyncIterator[Served]:
    served = Served(world)
    await served.server.start()
    yield served
    await served.server.stop()


async def test_an_older_worker_gets_a_token_and_uploads_once(served: Served) -> None:
    token = await served.token()
    headers = {"Authorization": token}
    assert (await served.call("HEAD", f"/v1/results/{TASK}", headers=headers))[0] == 404
    assert (await served.upload(token))[::2] == (200, f"/results/{TASK}")
    assert (await served.call("HEAD", f"/v1/results/{TASK}", headers=headers))[0] == 204
    status, refused, _ = await served.upload(token)
    assert (status, "RESULT_ALREADY_EXISTS" in refused["error"]) == (409, True)
    (stored,) = served.world.archives.files.values()
    assert stored == served.world.archive


async def test_the_deal_of_an_authorization_is_that_of_the_chain(served: Served) -> None:
    await served.token()
    stored = served.world.store.authorizations[TASK, served.worker.address]
    assert stored.deal_id == DEAL


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chainTaskId": ""}, "NOT_SIGNED_BY_WORKER"),
        ({"workerWallet": None}, "NOT_SIGNED_BY_WORKER"),
        ({"signature": ""}, "EMPTY_PARAMS_UNAUTHORIZED"),
        ({"signature": "0xzz"}, "BAD_REQUEST"),
        ({"taskIndex": "x"}, "BAD_REQUEST"),
        ({"workerWallet": 5}, "BAD_REQUEST"),
        ({"chainTaskId": "0x12"}, "BAD_REQUEST"),
    ],
)
async def test_an_incomplete_authorization_is_refused_in_words(
    served: Served, changes: dict[str, Any], reason: str
) -> None:
    """Scenario 32: null and empty parts."""
    status, refused, _ = await served.request_token(served.authorization(), **changes)
    assert status in (400, 401)
    assert reason in refused["error"]


async def test_a_signature_of_another_wallet_gives_no_token(served: Served) -> None:
    status, refused, _ = await served.request_token(served.authorization(), signer=Wallet.create())
    assert (status, "NOT_SIGNED_BY_WORKER" in refused["error"]) == (401, True)
    status, refused, _ = await served.request_token(served.authorization(signer=Wallet.create()))
    assert (status, "INVALID_SIGNATURE" in refused["error"]) == (403, True)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"zip": "???"}, 400, "BAD_REQUEST"),
        ({"zip": ""}, 400, "BAD_REQUEST"),
        ({"zip": base64.b64encode(b"no archive").decode()}, 400, "ARCHIVE_BROKEN"),
        ({"chainTaskId": "0x" + "77" * 32}, 403, "NO_AUTHORIZATION_FOR_TASK"),
    ],
)
async def test_an_upload_that_cannot_be_stored_is_refused_in_words(
    served: Served, changes: dict[str, Any], status: int, reason: str
) -> None:
    answered, refused, _ = await served.upload(await served.token(), **changes)
    assert (answered, reason in refused["error"]) == (status, True)
    assert served.world.archives.files == {}


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJub25lIn0.e30."])
async def test_without_a_valid_token_nothing_is_stored_or_told(served: Served, token: str) -> None:
    """Scenario 31: calls without credentials end with 401, and health stays open."""
    assert (await served.upload(token))[0] == 401
    assert (await served.call("HEAD", f"/v1/results/{TASK}", headers={"Authorization": token}))[0] == 401
    assert (await served.call("GET", "/actuator/health"))[0] == 200


async def test_a_result_outside_of_ipfs_has_no_ipfs_hash(served: Served) -> None:
    await served.upload(await served.token())
    for path in (f"/v1/results/{TASK}/ipfshash", f"/results/{TASK}/ipfshash"):
        status, refused, _ = await served.call("GET", path)
        assert (status, f"/results/{TASK}" in str(refused)) == (404, True)


async def test_a_result_in_ipfs_has_an_ipfs_hash(served: Served) -> None:
    served.world.archives.location = "/ipfs/bafy"
    assert (await served.upload(await served.token()))[::2] == (200, "/ipfs/bafy")
    status, _, text = await served.call("GET", f"/v1/results/{TASK}/ipfshash")
    assert (status, text) == (200, "bafy")


async def test_a_requesters_tool_logs_in(served: Served) -> None:
    requester = Wallet.create()
    query = f"address={requester.address}&chainId={CHAIN_ID}"
    status, made, _ = await served.call("GET", f"/results/challenge?{query}")
    assert (status, made["ok"], made["data"]["domain"]["name"]) == (200, True, DOMAIN_NAME)
    challenge = LogChallenge(made["data"]["message"]["challenge"], CHAIN_ID, DOMAIN_NAME)
    signed = to_hex(sign_challenge(requester, challenge))
    body = f"{to_hex(challenge.hash)}_{signed}_{requester.address}"
    status, _, token = await served.call("POST", f"/results/login?chainId={CHAIN_ID}", data=body)
    assert (status, token.count(".")) == (200, 2)
    # A requester uploads nothing.
    assert (await served.upload(token))[0] == 403


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/results/challenge", 400, "address"),
        ("GET", "/results/challenge?address=0x12", 400, "address"),
        ("GET", f"/results/challenge?chainId=1&address=0x{'11' * 20}", 400, "chain 65535"),
        ("POST", "/results/login", 400, "<hash>_<signature>_<address>"),
        ("POST", f"/results/login?chainId={CHAIN_ID}", 400, "<hash>_<signature>_<address>"),
    ],
)
async def test_a_malformed_login_is_refused_in_words(
    served: Served, method: str, path: str, status: int, said: str
) -> None:
    answered, refused, _ = await served.call(method, path)
    assert (answered, said in str(refused)) == (status, True)
