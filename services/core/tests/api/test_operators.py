"""Operators' methods: open to the role alone, or to every caller and then refused."""

import pytest
from workerpool_core.api.operators import policy_of, require_operator
from workerpool_core.errors import OperatorDisabled
from workerpool_kit.access.authenticators import ANYONE, OPERATOR


@pytest.mark.parametrize(("configured", "role"), [(True, OPERATOR), (False, ANYONE)])
def test_each_method_has_its_role(configured: bool, role: str) -> None:
    policy = policy_of("a.B", ("Read",), ("Order",), operator_configured=configured)
    assert policy == {"/a.B/Read": frozenset({ANYONE}), "/a.B/Order": frozenset({role})}


def test_without_credentials_every_order_is_refused() -> None:
    require_operator(configured=True)
    with pytest.raises(OperatorDisabled):
        require_operator(configured=False)
