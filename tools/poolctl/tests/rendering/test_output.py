"""A document as table, JSON and YAML."""

import io
import json
from typing import Any

import yaml
from poolctl.rendering.output import Output, line_of, show, text_of

DOCUMENT = {"name": "Zoë", "number": 3, "none": None, "list": [1, 2]}


def view(document: Any) -> list[str]:
    return [f"name {document['name']}"]


def test_json_and_yaml_hold_the_document() -> None:
    assert json.loads(text_of(DOCUMENT, Output.JSON)) == DOCUMENT
    assert yaml.safe_load(text_of(DOCUMENT, Output.YAML)) == DOCUMENT
    assert list(yaml.safe_load(text_of(DOCUMENT, Output.YAML))) == list(DOCUMENT)


def test_a_table_is_plain_text_without_a_terminal() -> None:
    stream = io.StringIO()
    show(DOCUMENT, view, Output.TABLE, stream)
    assert stream.getvalue() == "name Zoë\n"


def test_the_form_decides_what_is_printed() -> None:
    stream = io.StringIO()
    show(DOCUMENT, view, Output.JSON, stream)
    assert json.loads(stream.getvalue()) == DOCUMENT


def test_a_stream_of_documents_is_read_one_by_one() -> None:
    text = line_of({"a": 1}, Output.JSON) + line_of({"a": 2}, Output.JSON)
    assert [json.loads(line) for line in text.splitlines()] == [{"a": 1}, {"a": 2}]
    text = line_of({"a": 1}, Output.YAML) + line_of({"a": 2}, Output.YAML)
    assert list(yaml.safe_load_all(text)) == [{"a": 1}, {"a": 2}]
