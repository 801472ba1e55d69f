"""Rules about the services: closed ports, failing components, clocks, certificates, versions."""

from collections.abc import Iterator, Mapping
from typing import Any

from workerpool_kit.text.spans import span

from poolctl.domain.diagnosis.facts import Certificate, Facts, Service
from poolctl.domain.diagnosis.findings import Code, Finding, ok, problem, warning

CLOCK_TOLERANCE_S = 30.0
"""Signed challenges and tokens live for a minute or longer."""
WARN_DAYS = 14
_DAY_S = 86_400.0
_UP = "UP"

_CODES = {
    "database": Code.MONGO_DOWN,
    "workspace": Code.DISK_FULL,
    "disk": Code.DISK_FULL,
    "journal": Code.DISK_FULL,
    "chain": Code.NODE_UNREACHABLE,
    "certificate": Code.CERTIFICATE_EXPIRED,
    "stake": Code.LOW_STAKE,
    "wallet": Code.EMPTY_WALLET,
}
_WHY = {
    Code.MONGO_DOWN: "without its database the service acknowledges nothing, and the pool stops",
    Code.DISK_FULL: "results and journals need space; what does not fit is refused and waits elsewhere",
    Code.NODE_UNREACHABLE: "without the chain no deal is seen and no transaction is sent",
    Code.CERTIFICATE_EXPIRED: "clients refuse an expired certificate",
    Code.LOW_STAKE: "each sold task of a paid order locks a part of the owner's stake",
    Code.EMPTY_WALLET: "no transaction is sent without coins for gas",
}
_STEPS = {
    Code.MONGO_DOWN: "start MongoDB (docker compose up -d mongo), or correct MONGO_URI of the service",
    Code.DISK_FULL: "free space on that volume, or give it more",
    Code.NODE_UNREACHABLE: "start the node, or set IEXEC_BLOCKCHAIN_NODE_ADDRESS of the service to another one",
}


def ports(facts: Facts) -> Iterator[Finding]:
    """Judge whether each service can be reached, and is the expected one."""
    for service in facts.services:
        if service.http.problem:
            yield _closed(service, "HTTP", service.http.address, service.http.problem)
        if service.grpc is not None and service.grpc.problem:
            yield _closed(service, "gRPC", service.grpc.address, service.grpc.problem)
        if service.problem:
            yield problem(
                service.name,
                Code.SERVICE_UNREACHABLE,
                f"{service.url} does not answer as {service.name} does: {service.problem}",
                "another program listens there, or the service hangs",
                f"read the log of {service.name} (poolctl logs {service.name}), and compare its URL",
            )


def _closed(service: Service, kind: str, address: str, why: str) -> Finding:
    return problem(
        service.name,
        Code.PORT_CLOSED,
        f"the {kind} port of {service.name} at {address} is closed",
        why,
        f"start {service.name} (docker compose up -d), publish the port, open it in the firewall, or correct the URL",
    )


def components(facts: Facts) -> Iterator[Finding]:
    """Judge the components that a service says are out of service."""
    for service in facts.services:
        if service.health is None:
            continue
        failing = {
            name: state.get("details") or {}
            for name, state in (service.health.get("components") or {}).items()
            if isinstance(state, Mapping) and state.get("status") != _UP
        }
        for name, details in failing.items():
            yield _component(service, name, details)
        if not failing:
            yield ok(
                service.name,
                f"{service.url} is up" + (f", version {service.version}" if service.version else ""),
            )


def _component(service: Service, name: str, details: Mapping[str, Any]) -> Finding:
    code = _CODES.get(name, Code.SERVICE_UNHEALTHY)
    found = str(details.get("problem") or details.get("error") or "out of service")
    where = f" ({details['address']})" if details.get("address") else ""
    told = str(details.get("next_step") or details.get("advice") or "")
    fallback = _STEPS.get(code, f"read the log of {service.name} (poolctl logs {service.name})")
    variable = f" [{details['variable']}]" if told and details.get("variable") else ""
    return problem(
        service.name,
        code,
        f"{service.name}: {name} is out of service: {found}{where}",
        _WHY.get(code, f"{service.name} waits for it"),
        (told or fallback) + variable,
    )


def clocks(facts: Facts) -> Iterator[Finding]:
    """Judge this host's clock and those of the services.

    A block carries the time of its making, so no right clock is behind it. A right clock may be far ahead of it.
    """
    chain = facts.chain
    step = "set the clock of the host that is wrong: switch on NTP (timedatectl set-ntp true)"
    why = "logins, deadlines and certificates compare clocks; 30 s of difference are tolerated"
    wrong = False
    if chain is not None and chain.head_time > facts.now + CLOCK_TOLERANCE_S:
        wrong = True
        yield problem(
            "clock",
            Code.CLOCK_SKEW,
            f"the clock of this host is {span(chain.head_time - facts.now)} behind the newest block of the chain",
            why,
            step,
        )
    for service in facts.services:
        offset = service.clock_offset_s
        if offset is not None and abs(offset) > CLOCK_TOLERANCE_S:
            wrong = True
            side = "behind" if offset > 0 else "ahead of"
            yield problem(
                "clock",
                Code.CLOCK_SKEW,
                f"the clock of {service.name} is {span(abs(offset))} {side} this host's",
                why,
                step,
            )
    if not wrong and (chain is not None or any(each.clock_offset_s is not None for each in facts.services)):
        yield ok("clock", "the clocks of this host, the services and the chain agree")


def certificates(facts: Facts) -> Iterator[Finding]:
    """Judge the certificates of ports and files."""
    ports_ = [each.certificate for each in facts.services if each.certificate is not None]
    for certificate in (*ports_, *facts.certificates):
        yield from _certificate(certificate, facts.now)


def _certificate(found: Certificate, now: float) -> Iterator[Finding]:
    renew = "renew it, and replace the file; a running service loads the new one automatically"
    left_s = None if found.expires is None else found.expires - now
    if left_s is not None and left_s <= 0:
        yield problem(
            "certificate",
            Code.CERTIFICATE_EXPIRED,
            f"the certificate of {found.source} expired {span(-left_s)} ago",
            "clients refuse it: workers and requesters cannot connect",
            renew,
        )
    elif found.problem:
        yield problem(
            "certificate",
            Code.CERTIFICATE_WRONG,
            f"the certificate of {found.source} cannot be used: {found.problem}",
            "clients refuse the connection",
            "give the service a certificate for this name, or name its authority with WORKERPOOL_TLS_CA (--ca)",
        )
    elif left_s is not None and left_s < WARN_DAYS * _DAY_S:
        yield warning(
            "certificate",
            Code.CERTIFICATE_EXPIRES_SOON,
            f"the certificate of {found.source} expires in {span(left_s)}",
            "clients refuse an expired certificate",
            renew,
        )
    elif left_s is not None:
        yield ok("certificate", f"the certificate of {found.source} is valid for {span(left_s)}")


def credentials(facts: Facts) -> Iterator[Finding]:
    """Judge whether the services accept poolctl's credentials, which are those of the pool."""
    for service in facts.services:
        if service.refused:
            yield problem(
                service.name,
                Code.CREDENTIALS_REFUSED,
                f"{service.name} refuses the credentials in these settings: {service.refused}",
                "a service with the same wrong password is refused too, and its tasks wait",
                f"compare user name and password with those that {service.name} was started with",
            )


def versions(facts: Facts) -> Iterator[Finding]:
    """Judge whether all services have one version."""
    found = {each.name: each.version for each in facts.services if each.version}
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} {version}" for name, version in sorted(found.items()))
        yield warning(
            "versions",
            Code.VERSIONS_DIFFER,
            f"the services have different versions: {listed}",
            "versions one release apart work together; an upgrade may be incomplete",
            "finish the upgrade: docker compose pull, then docker compose up -d",
        )
