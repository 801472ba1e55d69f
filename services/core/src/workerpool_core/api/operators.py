"""Methods for operators: their access policy, and the refusal while no operator is configured."""

from collections.abc import Iterable

from workerpool_kit.access.authenticators import ANYONE, OPERATOR

from workerpool_core.errors import OperatorDisabled


def policy_of(
    service: str, public: Iterable[str], for_operators: Iterable[str], *, operator_configured: bool
) -> dict[str, frozenset[str]]:
    """Return the roles that may call each method of a service.

    Without operator credentials every caller of an operator's method is admitted, so that the method can refuse the
    call with OPERATOR_DISABLED.
    """
    operator = frozenset({OPERATOR if operator_configured else ANYONE})
    reads = {f"/{service}/{method}": frozenset({ANYONE}) for method in public}
    return reads | {f"/{service}/{method}": operator for method in for_operators}


def require_operator(*, configured: bool) -> None:
    """Raise OperatorDisabled unless operator credentials are configured."""
    if not configured:
        raise OperatorDisabled(
            "the operator's methods are disabled; set IEXEC_CORE_OPERATOR_USERNAME and IEXEC_CORE_OPERATOR_PASSWORD"
        )
