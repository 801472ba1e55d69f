"""Who may call: workers with a token, and the operator only when a password is set."""

from typing import cast

import pytest
from workerpool_core.composition import servers
from workerpool_kit.access.authenticators import BasicAuthenticator, BearerAuthenticator
from workerpool_kit.access.tokens import Tokens

from services.core.tests.doubles.settings import load


class NoTokens:
    """Tokens without a valid one."""

    def verify(self, token: str) -> None: ...


@pytest.mark.parametrize(
    ("environ", "kinds"),
    [
        ({}, [BearerAuthenticator]),
        (
            {"IEXEC_CORE_OPERATOR_USERNAME": "operator", "IEXEC_CORE_OPERATOR_PASSWORD": "of our own"},
            [BearerAuthenticator, BasicAuthenticator],
        ),
    ],
)
def test_an_operator_is_known_only_with_a_password(environ: dict[str, str], kinds: list[type]) -> None:
    accepted = servers._authenticators(load(environ), cast(Tokens, NoTokens()))
    assert [type(each) for each in accepted] == kinds
