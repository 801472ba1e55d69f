"""Frameworks and the images of their versions."""

import pytest
from workerpool_poco.protocol.tags import TeeFramework, make_tag
from workerpool_sms.domain.frameworks import Framework, FrameworkProperties, framework_of
from workerpool_sms.errors import UnknownFrameworkVersion, WrongFramework

from services.sms.tests.instance import VERSION

PROPERTIES = FrameworkProperties(Framework.TDX, {"v5": VERSION})


def test_a_tag_names_a_framework() -> None:
    found = [framework_of(make_tag(framework=each)) for each in TeeFramework]
    assert found == [Framework.SCONE, Framework.GRAMINE, Framework.TDX]
    assert framework_of(make_tag(gpu=True)) is None


def test_the_images_of_a_version_are_found() -> None:
    assert PROPERTIES.of_version(Framework.TDX, "v5") is VERSION
    assert PROPERTIES.default is VERSION
    assert FrameworkProperties(Framework.TDX).default is None


def test_another_framework_or_version_is_refused_in_words() -> None:
    with pytest.raises(WrongFramework, match="this SMS serves TDX, not SCONE; use"):
        PROPERTIES.of_version(Framework.SCONE, "v5")
    with pytest.raises(UnknownFrameworkVersion, match=r"known: v5"):
        PROPERTIES.of_version(Framework.TDX, "v4")
