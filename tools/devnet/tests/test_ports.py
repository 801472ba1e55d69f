import socket

from workerpool_devnet.ports import ServicePorts, documented_or_free, free_service_ports, is_free


def test_the_grpc_port_is_ten_thousand_above() -> None:
    ports = free_service_ports()
    assert ports.grpc == ports.http + 10_000


def test_documented_ports_are_used_when_both_are_free() -> None:
    wanted = free_service_ports()
    assert documented_or_free(wanted.http) == wanted


def test_other_ports_are_used_when_the_documented_one_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert documented_or_free(port) != ServicePorts(port, port + 10_000)
