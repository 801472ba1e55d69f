"""Tokens that were not issued here, and a key store that was tampered with, lost or damaged."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from bson import Binary
from workerpool_kit.access.tokens import InvalidToken, Tokens
from workerpool_kit.clock import FakeClock
from workerpool_kit.mongo.database import Database
from workerpool_result_proxy.adapters.mongo.signing_keys import MongoKeyStore

SUBJECT = "0x" + "11" * 20
ROLES = frozenset({"worker"})
CLAIMS = {"iss": "p", "aud": "p", "sub": SUBJECT, "roles": ["worker"], "exp": 4_000_000_000}

Start = Callable[[], Tokens]


@pytest.fixture
def start(database: Database) -> Start:
    """Return a function that starts a process on the stored keys."""
    clock = FakeClock()

    def process() -> Tokens:
        keys = MongoKeyStore(database, keep_s=1e9)
        return Tokens(keys, issuer="p", audience="p", lifetime_s=60, rotate_after_s=60, clock=clock)

    return process


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


async def test_an_unsigned_token_is_refused(start: Start) -> None:
    """Scenario 33: unsigned."""
    kid = jwt.get_unverified_header(await start().issue(SUBJECT, ROLES))["kid"]
    unsigned = f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{encoded(CLAIMS)}."
    with pytest.raises(InvalidToken):
        await start().verify(unsigned)


async def test_a_token_signed_with_another_key_is_refused(start: Start) -> None:
    """Scenario 33: wrongly signed."""
    kid = jwt.get_unverified_header(await start().issue(SUBJECT, ROLES))["kid"]
    for secret in (b"x" * 32, kid.encode() * 4):
        forged = jwt.encode(CLAIMS, secret, "HS256", headers={"kid": kid})
        with pytest.raises(InvalidToken):
            await start().verify(forged)


async def test_a_token_of_a_key_that_is_not_stored_is_refused(start: Start) -> None:
    """Scenario 33: not in the store."""
    await start().issue(SUBJECT, ROLES)
    forged = jwt.encode(CLAIMS, b"x" * 32, "HS256", headers={"kid": "unknown"})
    with pytest.raises(InvalidToken, match="unknown key"):
        await start().verify(forged)


async def test_a_tampered_store_opens_nothing_with_its_old_tokens(start: Start, database: Database) -> None:
    """Scenario 33: a store that was tampered with."""
    token = await start().issue(SUBJECT, ROLES)
    assert (await start().verify(token)).subject == SUBJECT
    await database.run(
        database.db["signing_keys"].update_one, {}, {"$set": {"secret": Binary(bytes(range(32)))}}
    )
    with pytest.raises(InvalidToken):
        await start().verify(token)


async def test_lost_keys_are_replaced_and_old_tokens_are_refused(start: Start, database: Database) -> None:
    """Scenario 33: keys made again after a loss."""
    token = await start().issue(SUBJECT, ROLES)
    await database.run(database.db["signing_keys"].delete_many, {})
    restarted = start()
    with pytest.raises(InvalidToken):
        await restarted.verify(token)
    again = await restarted.issue(SUBJECT, ROLES)
    assert (await start().verify(again)).subject == SUBJECT


@pytest.mark.parametrize(
    "secret", [Binary(b""), Binary(b"short"), "text that is no binary value: 33 letters", None]
)
async def test_a_damaged_key_signs_and_opens_nothing(start: Start, database: Database, secret: Any) -> None:
    """Scenario 33: a malformed key."""
    kid = jwt.get_unverified_header(await start().issue(SUBJECT, ROLES))["kid"]
    await database.run(database.db["signing_keys"].update_one, {}, {"$set": {"secret": secret}})
    restarted = start()
    for guessed in (b"", b"short", b"text that is no binary value: 33 letters"):
        head = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encoded(CLAIMS)}"
        mac = base64.urlsafe_b64encode(hmac.digest(guessed, head.encode(), "sha256")).decode().rstrip("=")
        forged = f"{head}.{mac}"
        with pytest.raises(InvalidToken):
            await restarted.verify(forged)
    again = await restarted.issue(SUBJECT, ROLES)
    assert jwt.get_unverified_header(again)["kid"] != kid
    assert (await start().verify(again)).subject == SUBJECT
