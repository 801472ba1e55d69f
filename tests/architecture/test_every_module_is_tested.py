"""Every module with logic has a test that imports it, so that a failing test names the module at fault."""

from architecture.tree import files_of_tests, has_logic, imported_names, listed, source_modules

EXEMPT = "untested.txt"


def untested() -> set[str]:
    """Return the modules with logic that no test imports; a `__main__` is started as a process instead."""
    imported = {name for path in files_of_tests() for name in imported_names(path)}
    return {
        name
        for name, path in source_modules().items()
        if path.name != "__main__.py" and has_logic(path) and name not in imported
    }


def test_every_module_with_logic_is_imported_by_a_test() -> None:
    missing = sorted(untested() - listed(EXEMPT))
    assert not missing, f"no test imports {missing}"


def test_the_list_of_untested_modules_only_shrinks() -> None:
    tested = sorted(listed(EXEMPT) - untested())
    assert not tested, f"tested, renamed or gone: remove from {EXEMPT}: {tested}"
