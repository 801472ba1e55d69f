"""What goes wrong between the worker and its engine, in the worker's own words."""

import pytest
import requests
from docker import errors
from workerpool_worker.adapters.docker.connection import in_thread, translate_errors
from workerpool_worker.errors import DockerUnavailable


def refusal(status):
    response = requests.Response()
    response.status_code = status
    return errors.APIError("refused", response=response, explanation="the engine's words")


async def failing(problem):
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
async def test_what_another_try_may_cure_is_an_outage(outage):
    with pytest.raises(DockerUnavailable):
        await translate_errors(failing(outage))


@pytest.mark.parametrize("status", [400, 409])
async def test_what_the_engine_refuses_for_good_stays_a_refusal(status):
    with pytest.raises(errors.APIError, match="the engine's words"):
        await translate_errors(failing(refusal(status)))


async def test_a_thread_gives_its_value_or_its_error_back():
    assert await in_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
