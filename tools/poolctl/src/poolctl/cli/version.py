"""The version of poolctl."""

_DISTRIBUTION = "workerpool-poolctl"


def own_version() -> str:
    """Return the version of poolctl; `unknown` outside of an installation."""
    from importlib import metadata

    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "unknown"
