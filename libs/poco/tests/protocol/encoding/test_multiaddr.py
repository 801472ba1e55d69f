from workerpool_poco.protocol.encoding.multiaddr import readable_multiaddr


def test_multiaddresses_are_readable() -> None:
    assert readable_multiaddr(b"docker.io/library/alpine:3.20") == "docker.io/library/alpine:3.20"
    raw = bytes.fromhex("a503221220" + "00" * 32)
    assert readable_multiaddr(raw) == "/ipfs/QmNLei78zWmzUdbeRB3CiUfAizWUrbeeZh5K1rhAQKCh51"
