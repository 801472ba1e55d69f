"""Honest deals: ordinary apps at a price, whose results are known."""

import hashlib

from workerpool_poco.protocol.deal_params import DealParams
from workerpool_poco.protocol.encoding.keccak import keccak

from hostile.catalogue.entry import Entry, Ground, succeeds, to_file

WORK_SECONDS = 8.0
"""Seconds that an honest app computes: longer than the noise of a busy machine."""
FILES = {"/one.txt": b"one\n" * 4096, "/two.bin": bytes(range(256)) * 1024}
"""Paths and contents of the honest file server."""
DATASET = b"a dataset of three\nhonest\nlines\n"
CALLBACK_DATA = "0x" + "2a" * 32


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _with_files(ground: Ground) -> DealParams:
    return DealParams(args="honest-files", input_files=tuple(f"{ground.files}{path}" for path in FILES))


PLAIN = Entry(
    name="honest-plain",
    honest=True,
    script=f"sleep {WORK_SECONDS:g}; echo done > /iexec_out/r",
    computed=to_file(),
    right=succeeds(seconds=WORK_SECONDS, consensus=lambda: _sha256(b"done\n")),
    weight=3,
)
ENTRIES = (
    PLAIN,
    Entry(
        name="honest-trust-3",
        honest=True,
        trust=3,
        script=f"sleep {WORK_SECONDS:g}; echo agreed > /iexec_out/r",
        computed=to_file(),
        right=succeeds(seconds=WORK_SECONDS, consensus=lambda: _sha256(b"agreed\n")),
        weight=2,
    ),
    Entry(
        name="honest-trust-5",
        honest=True,
        trust=5,
        script=f"sleep {WORK_SECONDS:g}; echo agreed > /iexec_out/r",
        computed=to_file(),
        right=succeeds(seconds=WORK_SECONDS, consensus=lambda: _sha256(b"agreed\n")),
    ),
    Entry(
        name="honest-files",
        honest=True,
        script=f"sleep {WORK_SECONDS:g}; n=$IEXEC_INPUT_FILES_FOLDER; "
        "cat $n/$IEXEC_INPUT_FILE_NAME_1 $n/$IEXEC_INPUT_FILE_NAME_2 > /iexec_out/r",
        computed=to_file(),
        params=_with_files,
        right=succeeds(seconds=WORK_SECONDS, consensus=lambda: _sha256(b"".join(FILES.values()))),
    ),
    Entry(
        name="honest-dataset",
        honest=True,
        script=f"sleep {WORK_SECONDS:g}; cp /iexec_in/$IEXEC_DATASET_FILENAME /iexec_out/r",
        computed=to_file(),
        dataset=lambda ground: (f"{ground.files}/dataset", _sha256(DATASET)),
        right=succeeds(seconds=WORK_SECONDS, consensus=lambda: _sha256(DATASET)),
    ),
    Entry(
        name="honest-callback",
        honest=True,
        callback=True,
        script=f"sleep {WORK_SECONDS:g}",
        computed=f'{{"callback-data":"{CALLBACK_DATA}"}}',
        right=succeeds(seconds=WORK_SECONDS, consensus=lambda: keccak(bytes.fromhex(CALLBACK_DATA[2:]))),
    ),
)
