"""Every rule of `poolctl doctor`, in the order in which an operator fixes what they find."""

from collections.abc import Callable, Iterator

from poolctl.domain.diagnosis import chain_rules, host_rules, service_rules
from poolctl.domain.diagnosis.facts import Facts
from poolctl.domain.diagnosis.findings import Finding

Rule = Callable[[Facts], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    host_rules.passwords,
    host_rules.exposed_files,
    host_rules.volumes,
    service_rules.certificates,
    service_rules.ports,
    service_rules.components,
    service_rules.credentials,
    service_rules.versions,
    service_rules.clocks,
    chain_rules.node,
    chain_rules.behind,
    chain_rules.owner,
    chain_rules.wallet,
    chain_rules.stake,
    chain_rules.workers,
)


def diagnose(facts: Facts) -> list[Finding]:
    """Return what every rule finds."""
    return [finding for rule in RULES for finding in rule(facts)]
