import pytest
from workerpool_poco.protocol.result_link import InvalidResultLink, ResultLink


def test_a_result_link_decodes_to_what_was_encoded() -> None:
    link = ResultLink("ipfs", "/ipfs/QmX")
    assert link.encode() == '{"storage":"ipfs","location":"/ipfs/QmX"}'
    assert ResultLink.decode(link.to_bytes()) == link


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "5", '{"storage":"ipfs"}', '{"storage":1,"location":2}', b"\xff"]
)
def test_a_malformed_result_link_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidResultLink):
        ResultLink.decode(text)
