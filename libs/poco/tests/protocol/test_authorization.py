from dataclasses import replace

import pytest
from workerpool_poco.chain.wallet import Wallet
from workerpool_poco.protocol.authorization import (
    WorkerpoolAuthorization,
    audience_of,
    authorization_hash,
    bound_authorization_hash,
    recover_signer,
    sign_authorization,
    sms_challenge_hash,
)
from workerpool_poco.protocol.encoding.keccak import keccak
from workerpool_poco.protocol.ids import ZERO_ADDRESS, DealId, TaskId, task_id_of, to_hex
from workerpool_poco.protocol.signatures import compact_signature

WALLET = Wallet.from_key("0x" + "11" * 32)
WORKER = "0x" + "22" * 20
TASK = task_id_of(DealId("0x" + "aa" * 32), 3)


def authorization() -> WorkerpoolAuthorization:
    return sign_authorization(
        WALLET, worker=WORKER, task_id=TASK, deal_id=DealId("0x" + "aa" * 32), task_index=3
    )


def test_hash_vectors() -> None:
    assert to_hex(authorization_hash(WORKER, TASK)) == (
        "0x55e95b1b1f644e3c17fe58b22e98b479dfd7e2804915d75670b40afa5b7549d0"
    )
    assert to_hex(authorization_hash(WORKER, TASK, "0x" + "33" * 20)) == (
        "0x8e74ae4e421791c1eaad828a513529b1c7cf68fff890bdd6a20c0ee7aca1ca05"
    )
    worker = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
    assert to_hex(authorization_hash(worker, TaskId("0x" + f"{1:064x}"), ZERO_ADDRESS)) == (
        "0xa7704e491d33a261c02a9cb1a489a93e7ac42768ce7b52602e285dc5adab0829"
    )
    assert to_hex(sms_challenge_hash(TASK)) == (
        "0xe66d5c597787fe6cabb29783b7dd6a9342fcc8c0f69b98a6fbf21456dbd9da77"
    )


def test_signature_vector() -> None:
    assert to_hex(authorization().signature) == (
        "0x36389dfcbe48f571bc721ded2b915b9a3335d0b481a5bea7fe4e19eccc70d6d5"
        "2208a8e9d0e8a7a50540ca2e9fe2bd33948a7e0afa91fd0cdc760828a26672c71c"
    )


def test_the_signer_is_recovered_from_either_length() -> None:
    signed = authorization()
    assert recover_signer(signed) == WALLET.address == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    assert recover_signer(replace(signed, signature=compact_signature(signed.signature))) == WALLET.address


def test_a_changed_worker_task_or_enclave_changes_the_signer() -> None:
    signed = authorization()
    for forged in (
        replace(signed, worker="0x" + "44" * 20),
        replace(signed, task_id=TaskId("0x" + "01" * 32)),
        replace(signed, enclave_challenge="0x" + "33" * 20),
    ):
        assert recover_signer(forged) != WALLET.address


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://result.example", "https://result.example"),
        ("HTTPS://Result.EXAMPLE:443/", "https://result.example"),
        ("https://result.example:8443//", "https://result.example:8443"),
        ("http://result.example:80", "http://result.example"),
        ("http://127.0.0.1:13200", "http://localhost:13200"),
        ("http://[::1]:13200/", "http://localhost:13200"),
        ("http://[2001:DB8::1]:13200", "http://[2001:db8::1]:13200"),
        ("http://[2001:db8:0:0::0001]:13200", "http://[2001:db8::1]:13200"),
        ("http://[0:0:0:0:0:0:0:1]:13200", "http://localhost:13200"),
        ("http://[::ffff:127.0.0.1]:13200", "http://localhost:13200"),
        ("https://pool.example/results/", "https://pool.example/results"),
    ],
)
def test_an_audience_has_one_spelling(url: str, audience: str) -> None:
    assert audience_of(url) == audience
    assert audience_of(audience) == audience


@pytest.mark.parametrize(
    "url",
    [
        "",
        "result.example",
        "ftp://x",
        "http://",
        "http://a:b@c",
        "http://x/?q",
        "http://x/#f",
        "http://x:port",
    ],
)
def test_what_is_no_base_url_has_no_audience(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        audience_of(url)


def test_a_bound_hash_depends_on_audience_and_nonce() -> None:
    signed = WorkerpoolAuthorization(WORKER, TASK, ZERO_ADDRESS, DealId("0x" + "03" * 32), 0, b"")
    messages = {
        bound_authorization_hash(signed, audience, nonce)
        for audience in ("https://a.example", "https://b.example")
        for nonce in (bytes(32), b"\1" * 32)
    }
    assert len(messages | {signed.hash}) == 5
    expected = keccak(signed.hash + keccak(b"https://a.example") + bytes(32))
    assert bound_authorization_hash(signed, "https://a.example", bytes(32)) == expected
