"""SDK calls in threads, and the SDK's exceptions as the worker's errors."""

import pytest
import requests
from docker import errors
from workerpool_worker.adapters.docker.connection import in_thread, translate_errors
from workerpool_worker.errors import DockerUnavailable


def refusal(status: int) -> errors.APIError:
    response = requests.Response()
    response.status_code = status
    return errors.APIError("refused", response=response, explanation="the engine's explanation")


async def failing(problem: Exception) -> None:
    raise problem


@pytest.mark.parametrize(
    "outage",
    [
        requests.exceptions.ConnectionError("gone"),
        requests.exceptions.ReadTimeout("too slow"),
        requests.exceptions.ChunkedEncodingError("an answer that breaks off"),
        errors.DockerException("no socket"),
        refusal(500),
        refusal(404),
    ],
    ids=lambda outage: f"{type(outage).__name__} {getattr(outage, 'status_code', '')}".strip(),
)
async def test_a_transient_error_is_an_outage(outage: Exception) -> None:
    with pytest.raises(DockerUnavailable):
        await translate_errors(failing(outage))


@pytest.mark.parametrize("status", [400, 409])
async def test_a_permanent_refusal_passes_through(status: int) -> None:
    with pytest.raises(errors.APIError, match="the engine's explanation"):
        await translate_errors(failing(refusal(status)))


async def test_a_thread_returns_its_value_or_raises_its_error() -> None:
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
