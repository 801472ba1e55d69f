"""Tokens: valid for one audience and one lifetime, across restarts, processes and key rotations."""

import asyncio

import jwt
import pytest
from workerpool_kit.access.authenticators import Identity
from workerpool_kit.access.tokens import ExpiredToken, InvalidToken, SigningKey, Tokens
from workerpool_kit.clock import FakeClock


class MemoryKeys:
    """Keys that outlive the `Tokens` objects of a test, as a database would."""

    def __init__(self) -> None:
        self.keys: list[SigningKey] = []

    async def load(self) -> list[SigningKey]:
        return list(self.keys)

    async def save(self, key: SigningKey) -> None:
        self.keys.append(key)


class PlainKeys(MemoryKeys):
    def load(self) -> list[SigningKey]:  # type: ignore[override]
        return list(self.keys)

    def save(self, key: SigningKey) -> None:  # type: ignore[override]
        self.keys.append(key)


class CountedKeys(MemoryKeys):
    """Counts how often it is asked; an answer takes a moment, as a database's does."""

    def __init__(self) -> None:
        super().__init__()
        self.loads = 0

    async def load(self) -> list[SigningKey]:
        self.loads += 1
        await asyncio.sleep(0)
        return await super().load()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryKeys:
    return MemoryKeys()


def tokens(store: MemoryKeys, clock: FakeClock, audience: str = "pool") -> Tokens:
    return Tokens(store, issuer="core", audience=audience, lifetime_s=60, rotate_after_s=100, clock=clock)


async def test_a_token_names_its_subject_and_roles(store: MemoryKeys, clock: FakeClock) -> None:
    issuer = tokens(store, clock)
    token = await issuer.issue("0xa", frozenset({"worker"}), session=7)
    assert await issuer.verify(token) == Identity("0xa", frozenset({"worker"}))
    assert (await issuer.claims(token))["session"] == 7


@pytest.mark.parametrize("kind", [MemoryKeys, PlainKeys])
async def test_tokens_survive_a_restart(kind: type[MemoryKeys], clock: FakeClock) -> None:
    store = kind()
    token = await tokens(store, clock).issue("0xa", ["worker"])
    restarted = tokens(store, clock)
    assert (await restarted.verify(token)).subject == "0xa"
    await restarted.issue("0xb", ["worker"])
    assert len(store.keys) == 1


async def test_token_expires_after_its_lifetime(store: MemoryKeys, clock: FakeClock) -> None:
    issuer = tokens(store, clock)
    token = await issuer.issue("0xa", ["worker"])
    clock.advance(59)
    await issuer.verify(token)
    clock.advance(1)
    with pytest.raises(ExpiredToken):
        await issuer.verify(token)


async def test_a_rotated_key_verifies_until_its_last_token_expired(
    store: MemoryKeys, clock: FakeClock
) -> None:
    issuer = tokens(store, clock)
    await issuer.issue("0xa", [])
    clock.advance(99)
    late = await issuer.issue("0xa", [])
    clock.advance(2)
    await issuer.issue("0xa", [])
    assert len(store.keys) == 2
    await issuer.verify(late)


async def test_token_of_another_process_with_the_same_keys_is_accepted(
    store: MemoryKeys, clock: FakeClock
) -> None:
    first, second = tokens(store, clock), tokens(store, clock)
    await first.issue("0xa", [])
    clock.advance(150)
    theirs = await second.issue("0xb", ["worker"])
    assert (await first.verify(theirs)).subject == "0xb"


async def test_foreign_and_forged_tokens_are_refused(store: MemoryKeys, clock: FakeClock) -> None:
    issuer = tokens(store, clock)
    good = await issuer.issue("0xa", ["worker"])
    kid = jwt.get_unverified_header(good)["kid"]
    claims = {"sub": "0xa", "roles": ["owner"], "iss": "core", "aud": "pool", "exp": int(clock.now()) + 60}
    forged = [
        "",
        "a.b.c",
        good[:-4] + "AAAA",
        jwt.encode(claims, "x" * 32, "HS256", headers={"kid": kid}),
        jwt.encode(claims, "x" * 32, "HS256", headers={"kid": "unknown"}),
        jwt.encode(claims, "", "none", headers={"kid": kid}),
        await tokens(store, clock, audience="other").issue("0xa", ["worker"]),
    ]
    for token in forged:
        with pytest.raises(InvalidToken):
            await issuer.verify(token)


async def test_many_invented_key_ids_cause_one_reload(clock: FakeClock) -> None:
    store = CountedKeys()
    issuer = tokens(store, clock)
    await issuer.issue("0xa", ["worker"])
    clock.advance(2)
    store.loads = 0
    forged = [jwt.encode({}, "x" * 32, "HS256", headers={"kid": f"invented-{n}"}) for n in range(50)]
    answers = await asyncio.gather(*map(issuer.verify, forged), return_exceptions=True)
    assert all(isinstance(answer, InvalidToken) for answer in answers)
    assert store.loads == 1


def test_a_key_does_not_show_its_secret() -> None:
    assert "abc" not in repr(SigningKey("k", b"abc", 0))


async def test_derived_secrets_differ_by_purpose_and_rotate_with_the_keys(
    store: MemoryKeys, clock: FakeClock
) -> None:
    issuer = tokens(store, clock)
    (first,) = await issuer.derived_secrets("challenge")
    assert await tokens(store, clock).derived_secrets("challenge") == [first]
    assert await issuer.derived_secrets("other") != [first]
    clock.advance(101)
    newest, older = await issuer.derived_secrets("challenge")
    assert older == first
    assert newest != first
    assert all(key.secret not in (newest, older) for key in store.keys)
