"""The images of framework versions in a JSON file."""

import json
from pathlib import Path

import pytest
from workerpool_sms.adapters.properties_file import PropertiesUnusable, read_properties
from workerpool_sms.domain.frameworks import EnclaveImage, Framework

IMAGE = {"image": "pre:1", "fingerprint": "fp", "entrypoint": "/pre", "heap_bytes": 7}


def test_versions_are_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "tee.json"
    version = {"pre_compute": IMAGE, "post_compute": {"image": "post:1"}, "las_image": "las:1"}
    path.write_text(json.dumps({"versions": {"v6": version, "v5": version}}))
    found = read_properties(path, Framework.SCONE)
    assert list(found.versions) == ["v6", "v5"]
    assert found.default is found.versions["v6"]
    assert found.versions["v5"].pre_compute == EnclaveImage("pre:1", "fp", "/pre", 7)
    assert found.versions["v5"].las_image == "las:1"
    assert read_properties(None, Framework.TDX).versions == {}


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ("{", "the text"),
        ("{}", "versions"),
        ('{"versions": {"v5": {}}}', "versions.v5.pre_compute"),
        (
            json.dumps({"versions": {"v5": {"pre_compute": IMAGE, "post_compute": {"image": ""}}}}),
            "post_compute.image",
        ),
        (json.dumps({"versions": {}, "more": 1}), "more"),
    ],
)
def test_an_unusable_file_is_named_with_the_place(tmp_path: Path, content: str, where: str) -> None:
    path = tmp_path / "tee.json"
    path.write_text(content)
    with pytest.raises(PropertiesUnusable, match=where):
        read_properties(path, Framework.TDX)
    with pytest.raises(PropertiesUnusable, match="cannot be read"):
        read_properties(tmp_path / "absent", Framework.TDX)
