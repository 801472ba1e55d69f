"""The visible surface of the package is its `__all__`."""

import workerpool_client


def test_every_public_name_is_listed_and_exists() -> None:
    modules = {"channel", "client", "credentials", "errors", "names", "targets"}
    visible = {name for name in vars(workerpool_client) if not name.startswith("_")} - modules
    assert visible == set(workerpool_client.__all__)
    assert all(
        getattr(workerpool_client, name).__doc__ for name in workerpool_client.__all__ if name != "Sign"
    )
