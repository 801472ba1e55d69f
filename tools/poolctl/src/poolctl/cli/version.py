"""The version of poolctl."""

from importlib import metadata

_DISTRIBUTION = "workerpool-poolctl"


def own_version() -> str:
    """Return the version of poolctl; `unknown` outside of an installation."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"
