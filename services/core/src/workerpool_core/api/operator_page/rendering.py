"""Responses of the page: templates that escape everything, and headers that admit only files of this port."""

import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers would send forms with the origin `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Headers of every response of the page."""
_NOT_KEPT = {"Cache-Control": "no-store"}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
ASSETS = ("style.css", "live.js", "icon.svg")
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that HTML does not allow in text."""


class Renderer:
    """The renderer of templates; the folders `templates` and `static` are data of this package."""

    def __init__(self, version: str) -> None:
        """Load templates and assets; each page shows `version`, that of core."""
        folder = files(__package__ or "") / "static"
        self._assets = {name: folder.joinpath(name).read_bytes() for name in ASSETS}
        self._environment = Environment(
            loader=PackageLoader(__package__ or ""),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_showable,
        )
        marks = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in self._assets.items()}
        self._environment.globals.update(version=version, marks=marks)

    def page(self, template: str, content: Mapping[str, Any], status: int = 200) -> Response:
        """Return a page. Raises jinja2.UndefinedError when `content` lacks a variable of the template."""
        html = self._environment.get_template(template).render(content)
        return HTMLResponse(html, status, {**HEADERS, **_NOT_KEPT})

    def asset(self, name: str) -> Response:
        """Return a file of the page; browsers cache it, because its URL changes with its content."""
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        return Response(self._assets[name], media_type=media_type, headers={**HEADERS, **_KEPT})


def text(content: str) -> Response:
    """Return plain text that browsers do not interpret otherwise."""
    return Response(content, media_type="text/plain", headers={**HEADERS, **_NOT_KEPT})


def see_other(location: str) -> Response:
    """Return a redirect to a path relative to the requested one, valid below any prefix of a proxy."""
    return RedirectResponse(location, 303, {**HEADERS, **_NOT_KEPT})


def _showable(value: Any) -> Any:
    """Replace characters that would make the page malformed, because names, messages and logs are untrusted."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSHOWABLE.sub("\ufffd", value)
    return value
