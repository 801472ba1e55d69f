"""Exit codes are documented, each once."""

from poolctl import errors


def test_every_exit_code_has_a_meaning() -> None:
    codes = {
        value for name, value in vars(errors).items() if name.startswith("EXIT_") and isinstance(value, int)
    }
    assert codes == set(errors.EXIT_CODES)


def test_every_failure_ends_with_a_documented_code() -> None:
    kinds: list[type[errors.CommandFailed]] = [errors.CommandFailed, *errors.CommandFailed.__subclasses__()]
    for kind in kinds:
        assert kind("message").exit_code in errors.EXIT_CODES
