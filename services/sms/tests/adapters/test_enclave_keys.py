"""Key pairs of enclaves."""

import coincurve
from workerpool_poco.protocol.signatures import public_key_address
from workerpool_sms.adapters.enclave_keys import new_enclave_key


def test_each_key_pair_is_new_and_fits() -> None:
    made = [new_enclave_key() for _ in range(3)]
    assert len({key for key, _ in made}) == 3
    for key, address in made:
        assert public_key_address(coincurve.PrivateKey(key).public_key) == address
