"""HTTP and gRPC answer alike: the same secret, the same refusal, under each transport's own codes (scenario 36)."""

from typing import Any

import pytest
from patience import PATIENCE_S
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.ids import to_hex
from workerpool_protocol.sms.v1 import secret_service_pb2 as pb
from workerpool_sms.domain.secrets import SecretKind, SecretName

from services.sms.tests.doubles.chain import APP, DATASET, DEVELOPER, OWNER, REQUESTER
from services.sms.tests.instance import FLOOR_BYTES, MAX_IN_TOTAL, MAX_SECRETS, signed

REQUESTER_ADDRESS = REQUESTER.address
KINDS: dict[str, tuple[SecretKind, Any, str, str, Wallet, str]] = {
    "web3": (
        SecretKind.WEB3,
        pb.SECRET_KIND_WEB3,
        DATASET,
        "",
        DEVELOPER,
        f"/secrets/web3?secretAddress={DATASET}",
    ),
    "web2": (
        SecretKind.WEB2,
        pb.SECRET_KIND_WEB2,
        REQUESTER_ADDRESS,
        "token",
        REQUESTER,
        f"/secrets/web2?ownerAddress={REQUESTER_ADDRESS}&secretName=token",
    ),
    "app": (
        SecretKind.APP_DEVELOPER,
        pb.SECRET_KIND_APP_DEVELOPER,
        APP,
        "1",
        DEVELOPER,
        f"/apps/{APP}/secrets",
    ),
    "app of 7.x": (
        SecretKind.APP_DEVELOPER,
        pb.SECRET_KIND_APP_DEVELOPER,
        APP,
        "1",
        DEVELOPER,
        f"/apps/{APP}/secrets/1",
    ),
    "requester": (
        SecretKind.REQUESTER,
        pb.SECRET_KIND_REQUESTER,
        REQUESTER_ADDRESS,
        "name",
        REQUESTER,
        f"/requesters/{REQUESTER_ADDRESS}/secrets/name",
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


async def over(
    client: Any, transport: str, kind: str, value: str, wallet: Wallet | None = None, replace: bool = False
) -> tuple[Any, str | None]:
    """Store a secret; return the transport's status and the reason of a refusal."""
    domain_kind, number, address, key, owner, path = KINDS[kind]
    signature = to_hex(signed(SecretName.parse(domain_kind, address, key), value, wallet or owner))
    if transport == "http":
        answer = await client.http(
            "PUT" if replace else "POST", path, value.encode(), authorization=signature
        )
        return answer.status, answer.code
    name = pb.SecretName(kind=number, address=address, key=key)
    request = pb.SetSecretRequest(name=name, value=value, signature=signature, replace=replace)
    answered: tuple[str, str | None] = await client.grpc(client.secrets.SetSecret, request)
    return answered


async def exists(client: Any, transport: str, kind: str) -> bool:
    """Return whether a secret exists."""
    _, number, address, key, _, path = KINDS[kind]
    if transport == "http":
        status = (await client.http("HEAD", path)).status
        assert status in (204, 404)
        return bool(status == 204)
    request = pb.HasSecretRequest(name=pb.SecretName(kind=number, address=address, key=key))
    return bool((await client.secrets.HasSecret(request, timeout=PATIENCE_S)).exists)


OK = {"http": (204, None), "grpc": ("OK", None)}
NOT_OWNER = {"http": (401, "NOT_SIGNED_BY_OWNER"), "grpc": ("UNAUTHENTICATED", "NOT_SIGNED_BY_OWNER")}
EXISTS = {"http": (409, "SECRET_EXISTS"), "grpc": ("ALREADY_EXISTS", "SECRET_EXISTS")}
EMPTY = {"http": (400, "SECRET_EMPTY"), "grpc": ("INVALID_ARGUMENT", "SECRET_EMPTY")}
MISSING = {"http": (404, "SECRET_NOT_FOUND"), "grpc": ("NOT_FOUND", "SECRET_NOT_FOUND")}
FULL = {"http": (429, "SMS_FULL"), "grpc": ("RESOURCE_EXHAUSTED", "SMS_FULL")}
NO_DEPOSIT = {"http": (429, "DEPOSIT_NEEDED"), "grpc": ("RESOURCE_EXHAUSTED", "DEPOSIT_NEEDED")}
NO_ROOM = {"http": (503, "STORAGE_FULL"), "grpc": ("UNAVAILABLE", "STORAGE_FULL")}
TOO_MANY = {"http": (429, "TOO_MANY_SECRETS"), "grpc": ("RESOURCE_EXHAUSTED", "TOO_MANY_SECRETS")}
UNREACHABLE = {"http": (503, "CHAIN_UNREACHABLE"), "grpc": ("UNAVAILABLE", "CHAIN_UNREACHABLE")}


@every_kind
@pytest.mark.parametrize("writer", ["http", "grpc"])
async def test_36_what_one_transport_stores_the_other_finds(client: Any, kind: str, writer: str) -> None:
    for reader in ("http", "grpc"):
        assert not await exists(client, reader, kind)
    for transport in ("http", "grpc"):
        assert await over(client, transport, kind, "value", OWNER) == NOT_OWNER[transport]
        assert await over(client, transport, kind, "  ") == EMPTY[transport]
    assert await over(client, writer, kind, "x" * 4096) == OK[writer]
    for transport in ("http", "grpc"):
        assert await exists(client, transport, kind)
        assert await over(client, transport, kind, "value") == EXISTS[transport]


@every_kind
async def test_36_a_value_that_is_too_large_is_refused(client: Any, kind: str) -> None:
    assert await over(client, "http", kind, "x" * 4097) == (413, "SECRET_TOO_LARGE")
    code, _ = await over(client, "grpc", kind, "x" * 4097)
    assert code == "INVALID_ARGUMENT"
    assert not await exists(client, "grpc", kind)


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_36_a_web2_secret_is_replaced(client: Any, transport: str) -> None:
    assert await over(client, transport, "web2", "first", replace=True) == MISSING[transport]
    assert await over(client, transport, "web2", "first") == OK[transport]
    assert await over(client, transport, "web2", "second", replace=True) == OK[transport]
    name = SecretName.parse(SecretKind.WEB2, REQUESTER_ADDRESS, "token")
    assert await client.sms.secrets.read(name) == "second"


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_an_unreachable_chain_is_reported_alike(client: Any, transport: str) -> None:
    client.sms.chain.reachable = False
    assert await over(client, transport, "web3", "value") == UNREACHABLE[transport]


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_a_wallet_with_too_many_secrets_is_reported_alike(client: Any, transport: str) -> None:
    for number in range(MAX_SECRETS):
        await client.sms.push(SecretKind.WEB2, REQUESTER_ADDRESS, f"name-{number}", "v", REQUESTER)
    assert await over(client, transport, "web2", "value") == TOO_MANY[transport]


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_a_full_sms_is_reported_alike(client: Any, transport: str) -> None:
    for number in range(MAX_IN_TOTAL):
        wallet = Wallet.from_key(bytes([100 + number]) * 32)
        client.sms.chain.deposits[wallet.address] = 1
        await client.sms.push(SecretKind.WEB2, wallet.address, "t", "v", wallet)
    assert await over(client, transport, "web2", "value") == FULL[transport]


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_a_wallet_without_a_deposit_is_reported_alike(client: Any, transport: str) -> None:
    for number in range(MAX_IN_TOTAL // 2):
        wallet = Wallet.from_key(bytes([100 + number]) * 32)
        await client.sms.push(SecretKind.WEB2, wallet.address, "t", "v", wallet)
    assert await over(client, transport, "web2", "value") == NO_DEPOSIT[transport]
    assert await over(client, transport, "web3", "value") == OK[transport]


@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_a_full_disk_is_reported_alike(client: Any, transport: str) -> None:
    assert await over(client, transport, "web2", "first") == OK[transport]
    client.sms.free = FLOOR_BYTES
    assert await over(client, transport, "requester", "value") == NO_ROOM[transport]
    assert await over(client, transport, "web2", "second", replace=True) == NO_ROOM[transport]
    assert await exists(client, transport, "web2")


async def test_36_a_bad_name_is_refused_alike(client: Any) -> None:
    for path in (
        "/secrets/web3?secretAddress=0x12",
        "/secrets/web3",
        f"/secrets/web2?ownerAddress={REQUESTER_ADDRESS}",
        f"/secrets/web2?ownerAddress={REQUESTER_ADDRESS}&secretName=a%20b",
        f"/requesters/{REQUESTER_ADDRESS}/secrets/{'k' * 65}",
        f"/apps/{APP}/secrets/2",
    ):
        answer = await client.http("POST", path, b"value", authorization="0x")
        assert (answer.status, answer.code) == (400, "INVALID_SECRET_NAME"), path
        assert (await client.http("HEAD", path)).status == 400
    name = pb.SecretName(kind=pb.SECRET_KIND_APP_DEVELOPER, address=APP, key="2")
    assert await client.grpc(client.secrets.HasSecret, pb.HasSecretRequest(name=name)) == (
        "INVALID_ARGUMENT",
        "INVALID_SECRET_NAME",
    )


async def test_the_form_of_a_refusal_is_that_which_the_sdk_shows(client: Any) -> None:
    answer = await client.http(
        "POST", f"/secrets/web3?secretAddress={DATASET}", b"v", authorization="rubbish"
    )
    assert answer.status == 401
    assert answer.text.startswith('{"error":"NOT_SIGNED_BY_OWNER: ')
    assert answer.headers["content-type"] == "application/json"


async def test_a_body_that_is_no_text_is_refused(client: Any) -> None:
    answer = await client.http("POST", f"/secrets/web3?secretAddress={DATASET}", b"\xff", authorization="0x")
    assert (answer.status, answer.code) == (400, "SECRET_NOT_TEXT")


async def test_a_page_of_any_origin_may_push_secrets(client: Any) -> None:
    answer = await client.http(
        "OPTIONS",
        "/secrets/web2",
        origin="https://explorer.example",
        access_control_request_method="PUT",
        access_control_request_headers="authorization, content-type",
    )
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PUT" in answer.headers["access-control-allow-methods"]
