"""The 32-byte tag of orders and deals, which names the hardware that a task needs.

Bits, counted from the least significant: 0 enclave (TEE), 1 Scone, 2 Gramine,
3 TDX, 8 GPU. The contract reads bit 0 only; schedulers and workers compare the whole low nibble.
"""

from enum import IntEnum

from workerpool_poco.protocol.ids import bytes32

_TEE_MASK = 0b1111
_TEE_BIT = 0b0001
_GPU_BIT = 1 << 8


class TeeFramework(IntEnum):
    """A supported enclave framework; the value is the low nibble of the tag."""

    SCONE = 0b0011
    GRAMINE = 0b0101
    TDX = 0b1001


def _number(tag: bytes | str) -> int:
    return int.from_bytes(bytes32(tag), "big")


def tee_framework(tag: bytes | str) -> TeeFramework | None:
    """Return the enclave framework that a tag requires; None for any other nibble, which means a standard task."""
    try:
        return TeeFramework(_number(tag) & _TEE_MASK)
    except ValueError:
        return None


def requires_enclave(tag: bytes | str) -> bool:
    """Return whether `contribute` requires an enclave challenge (bit 0 of the tag)."""
    return bool(_number(tag) & _TEE_BIT)


def requires_gpu(tag: bytes | str) -> bool:
    """Return whether the task requires a worker with a GPU (bit 8 of the tag)."""
    return bool(_number(tag) & _GPU_BIT)


def make_tag(*, framework: TeeFramework | None = None, gpu: bool = False) -> bytes:
    """Return the tag that requires an enclave framework, a GPU, both or neither."""
    return ((framework or 0) | (_GPU_BIT if gpu else 0)).to_bytes(32, "big")
