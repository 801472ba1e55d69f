"""Files that are written whole: a reader sees the content of before or of after, and never a part."""

import os
from pathlib import Path


def replace_text(path: Path, text: str) -> None:
    """Write a file, or replace it. Blocks. Raises OSError."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_text(text)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
