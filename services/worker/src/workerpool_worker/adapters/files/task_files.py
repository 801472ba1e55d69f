"""Paths of one task's files, laid out as documented (worker spec A.10)."""

from pathlib import Path

from workerpool_poco.protocol.results import COMPUTED_FILE

from workerpool_worker.adapters.files.removal import remove_tree
from workerpool_worker.domain.updates import LOG_TAIL_CHARACTERS, tail

_MAX_BYTES_PER_CHARACTER = 4


class TaskFiles:
    """Paths below `<base>/<name>/<task id>`.

    `input` holds the dataset and the input files, `output/iexec_out` the app's output. The worker writes
    `output/iexec_out.zip`, `output/computed.json` and the two logs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.input = path / "input"
        self.output = path / "output"
        self.iexec_out = self.output / "iexec_out"
        self.archive = self.output / "iexec_out.zip"
        self.computed = self.output / COMPUTED_FILE
        self.stdout = self.output / "stdout.log"
        self.stderr = self.output / "stderr.log"

    def prepare_input(self) -> None:
        """Create the folder of the dataset and the input files."""
        self.input.mkdir(parents=True, exist_ok=True)

    def prepare_output(self) -> None:
        """Create an empty output folder; remove the output of an interrupted run."""
        remove_tree(self.output)
        self.prepare_input()
        self.iexec_out.mkdir(parents=True)
        # The app runs as any user without CAP_DAC_OVERRIDE, so the folder is writable for all. Other users of the
        # host cannot reach it, because the worker's own folder is closed to them.
        self.iexec_out.chmod(0o777)

    def read_output_tails(self) -> tuple[str, str]:
        """Return the last 100,000 characters of standard output and standard error."""
        return _read_tail(self.stdout), _read_tail(self.stderr)


def _read_tail(path: Path) -> str:
    if not path.exists():
        return ""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - LOG_TAIL_CHARACTERS * _MAX_BYTES_PER_CHARACTER, 0))
        return tail(file.read().decode("utf-8", errors="replace"))
