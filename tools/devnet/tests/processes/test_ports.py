import random
import socket
import subprocess
import sys

import pytest
from workerpool_devnet.processes.ports import (
    ServicePorts,
    documented_or_free,
    free_port,
    free_ports_in_a_row,
    free_service_ports,
    is_free,
)
from workerpool_kit.targets import GRPC_PORT_OFFSET


def test_the_grpc_port_is_ten_thousand_above() -> None:
    ports = free_service_ports()
    assert ports.grpc == ports.http + 10_000


def test_ports_in_a_row_are_drawn_by_no_other_devnet(monkeypatch: pytest.MonkeyPatch) -> None:
    first = free_ports_in_a_row(3)
    offers = iter([first, first + 2, first + 1 + GRPC_PORT_OFFSET, *range(first + 3, first + 100)])
    monkeypatch.setattr(random, "randint", lambda *_: next(offers))
    assert first + 2 < free_port() < first + 100


@pytest.mark.parametrize("port", [17_001, 18_888])
def test_ports_of_compose_are_not_drawn(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """The pool of the stack test publishes them beside the devnets of other tests."""
    offers = iter([port, *range(port + 1, port + 100)])
    monkeypatch.setattr(random, "randint", lambda *_: next(offers))
    assert free_port() > port


def test_documented_ports_are_used_when_both_are_free() -> None:
    wanted = free_service_ports()
    assert documented_or_free(wanted.http) == wanted


def test_other_ports_are_used_when_a_documented_port_is_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert documented_or_free(port) != ServicePorts(port, port + 10_000)


def test_a_drawn_port_is_reserved_while_its_process_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from workerpool_devnet.processes.ports import *; print(free_service_ports().http, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        taken = int(other.stdout.readline())
        offers = iter([taken, taken + GRPC_PORT_OFFSET, *range(taken + 1, taken + 100)])
        monkeypatch.setattr(random, "randint", lambda *_: next(offers))
        assert is_free(taken)
        assert free_port() not in (taken, taken + GRPC_PORT_OFFSET)
        other.stdin.write("\n")
    offers = iter([taken])
    assert free_port() == taken
