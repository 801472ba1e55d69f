"""A model, settings and names that the database tests share."""

import mongoengine
from workerpool_kit.settings.base import MongoSettings, Settings
from workerpool_kit.settings.environment import load


class KitSettings(MongoSettings, Settings):
    pass


class Note(mongoengine.Document):  # type: ignore[misc]
    name = mongoengine.StringField(required=True)
    meta = {"collection": "notes", "indexes": [{"fields": ["name"], "unique": True}]}  # noqa: RUF012


def settings_for(uri: str, name: str = "test") -> KitSettings:
    return load(KitSettings, {"MONGO_URI": uri, "MONGO_DATABASE": name})
