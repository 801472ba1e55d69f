from workerpool_poco.protocol.encoding.keccak import keccak


def test_keccak_of_nothing() -> None:
    assert keccak(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_keccak_of_a_signature_text() -> None:
    assert keccak(b"transfer(address,uint256)")[:4].hex() == "a9059cbb"
