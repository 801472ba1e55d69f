"""Cross-origin requests (CORS): which pages may call an HTTP port from a browser, and how."""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
REQUEST_HEADERS = ("authorization", "content-type", "accept", "range", "if-range", "if-none-match")
READABLE_HEADERS = (
    "accept-ranges",
    "content-disposition",
    "content-length",
    "content-range",
    "etag",
    "retry-after",
    "www-authenticate",
)
"""Headers of an answer that a page may read besides those that browsers always show."""


def open_to_browsers(app: ASGIApp) -> ASGIApp:
    """Wrap an application so that pages of every origin may call it: requesters' tools also run in browsers.

    Cookies are never accepted (a caller names itself in the Authorization header), so a page can do no more than any
    other program that reaches the port.
    """
    return CORSMiddleware(
        app,
        allow_origins=("*",),
        allow_methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=READABLE_HEADERS,
    )
