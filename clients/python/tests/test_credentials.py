"""What is sent with every call, and what no text shows."""

from workerpool_client.credentials import basic, bearer


def test_the_header_has_the_form_of_the_scheme() -> None:
    assert basic("Aladdin", "open sesame").authorization == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert basic("ops", "schlüssel").authorization == "Basic b3BzOnNjaGzDvHNzZWw="
    assert bearer("abc.def").authorization == "Bearer abc.def"


def test_no_text_shows_a_secret() -> None:
    assert "horse" not in repr(basic("ops", "horse")) + repr(bearer("horse"))
