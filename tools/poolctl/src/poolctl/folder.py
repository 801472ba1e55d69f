"""The pool's folder, as a flag or the environment names it."""

from collections.abc import Mapping
from pathlib import Path

ENV_FILE = ".env"
POOL_DIR = "POOLCTL_POOL_DIR"
"""The variable that names the pool's folder when no flag does."""


def pool_folder(flags: Mapping[str, str], environ: Mapping[str, str]) -> Path:
    """Return the pool's folder; the current one when neither flag nor environment names one."""
    return Path(flags.get(POOL_DIR) or environ.get(POOL_DIR) or ".")
