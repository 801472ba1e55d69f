"""Identities from the metadata of a call."""

import base64

import pytest
from pydantic import SecretStr
from workerpool_kit.access.authenticators import (
    ANONYMOUS,
    AnyOf,
    BasicAuthenticator,
    BearerAuthenticator,
    Identity,
    current_identity,
    identity_of_call,
)
from workerpool_kit.errors import Unauthenticated

WORKER = Identity("0xworker", frozenset({"worker"}))


async def verify(token: str) -> Identity:
    if token != "good":
        raise Unauthenticated("bad token", reason="TOKEN_INVALID")
    return WORKER


def basic(credentials: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


BASIC = BasicAuthenticator("admin", SecretStr("p:ässword"), "owner")
BEARER = BearerAuthenticator(verify)


async def test_basic_credentials_give_the_role() -> None:
    assert await BASIC.authenticate(basic("admin:p:ässword")) == Identity("admin", frozenset({"owner"}))


@pytest.mark.parametrize(
    "metadata", [basic("admin:wrong"), {"authorization": "Basic %%%"}, {"authorization": "basic"}]
)
async def test_wrong_basic_credentials_are_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        await BASIC.authenticate(metadata)


async def test_credentials_of_another_kind_are_not_judged() -> None:
    assert await BASIC.authenticate({"authorization": "Bearer good"}) is None
    assert await BEARER.authenticate(basic("admin:wrong")) is None
    assert await BEARER.authenticate({}) is None


async def test_first_identity_counts_and_a_refusal_only_without_one() -> None:
    either = AnyOf(BASIC, BEARER)
    assert await either.authenticate({"authorization": "bearer good"}) == WORKER
    assert await either.authenticate({}) is None
    with pytest.raises(Unauthenticated, match="bad token"):
        await either.authenticate({"authorization": "Bearer bad"})


def test_current_identity_is_anonymous_outside_a_call() -> None:
    assert current_identity() is ANONYMOUS
    token = identity_of_call.set(WORKER)
    assert current_identity() is WORKER
    identity_of_call.reset(token)
