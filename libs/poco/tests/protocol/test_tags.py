import pytest
from workerpool_poco.protocol import tags
from workerpool_poco.protocol.tags import TeeFramework


@pytest.mark.parametrize(
    ("nibble", "framework"),
    [
        (0b0000, None),
        (0b0001, None),
        (0b0011, TeeFramework.SCONE),
        (0b0101, TeeFramework.GRAMINE),
        (0b1001, TeeFramework.TDX),
        (0b0111, None),
        (0b1111, None),
    ],
)
def test_a_framework_is_an_exact_nibble_regardless_of_other_bits(
    nibble: int, framework: TeeFramework | None
) -> None:
    for others in (0, 1 << 8, 0xF0, 1 << 200):
        tag = (nibble | others).to_bytes(32, "big")
        assert tags.tee_framework(tag) is framework
        assert tags.requires_enclave(tag) is bool(nibble & 1)
        assert tags.requires_gpu(tag) is (others == 1 << 8)


@pytest.mark.parametrize("framework", [None, *TeeFramework])
@pytest.mark.parametrize("gpu", [False, True])
def test_a_made_tag_reads_back(framework: TeeFramework | None, gpu: bool) -> None:
    tag = tags.make_tag(framework=framework, gpu=gpu)
    assert len(tag) == 32
    assert tags.tee_framework("0x" + tag.hex()) is framework
    assert tags.requires_gpu(tag) is gpu
