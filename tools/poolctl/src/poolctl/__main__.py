"""Entry point of poolctl.

A command lives for a fifth of a second, which it spends on imports. So the interpreter does not search the many objects
of modules for garbage, and pydantic does not search the installed packages for plugins, of which there are none.
"""

import gc
import os

_OBJECTS_BEFORE_COLLECTION = 100_000
"""New objects between two searches for garbage; all imports of a command make fewer that stay."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from poolctl.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
