"""Forms that pages post: read within a limit, and only when a page of this port posted them."""

from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from workerpool_kit import reasons
from workerpool_kit.errors import Kind, WorkerpoolError
from workerpool_kit.http.bodies import read_body

MAX_FORM_BYTES = 16 * 1024
_MAX_FIELDS = 50
_FORM = "application/x-www-form-urlencoded"


class CrossOrigin(WorkerpoolError):
    """A page of another origin made the browser send the request."""

    kind = Kind.PERMISSION
    reason = "CROSS_ORIGIN"


class MalformedForm(WorkerpoolError):
    """The body of a request is no form."""

    kind = Kind.INVALID
    reason = reasons.INVALID_ARGUMENT


def refuse_cross_origin(request: Request) -> None:
    """Raise CrossOrigin for a request that a page of another origin made the browser send.

    Current browsers say so in `Sec-Fetch-Site`, and on plain HTTP in `Origin`, whose host must be the one that was
    asked. Programs send neither: no browser attaches a cookie to their requests.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        same = origin is None or _host_of(origin) == request.headers.get("host", "")
    if not same:
        raise CrossOrigin(
            "another site sent this form; open the page itself and send it there. A reverse proxy must pass the "
            "header Host on"
        )


def _host_of(origin: str) -> str | None:
    """Return the host of an origin with its port, None for a text that is no URL, such as `http://[`."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form; the last of a repeated field counts.

    Raises CrossOrigin, BodyTooLarge or MalformedForm.
    """
    refuse_cross_origin(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise MalformedForm(f"the body is not a form; send it as {_FORM}")
    body = await read_body(request, MAX_FORM_BYTES)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise MalformedForm("the form cannot be read; send it again from the page") from None
