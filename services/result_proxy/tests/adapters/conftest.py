"""A database of its own for each test."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr
from workerpool_devnet.processes.mongod import Database as Mongod
from workerpool_kit.mongo.database import Database
from workerpool_kit.settings.base import MongoSettings
from workerpool_result_proxy.adapters.mongo.documents import MODELS


@pytest.fixture
async def database(mongod: Mongod, database_name: str) -> AsyncIterator[Database]:
    settings = MongoSettings(mongo_uri=SecretStr(mongod.uri), mongo_database=database_name)
    database = await Database.connect(settings, models=MODELS)
    yield database
    await database.close()
