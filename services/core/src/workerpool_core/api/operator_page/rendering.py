"""Answers of the page: templates that escape everything, and headers that admit nothing but this port's own files."""

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
"""Headers of every answer of the page."""
_NOT_KEPT = {"Cache-Control": "no-store"}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
ASSETS = ("style.css", "live.js", "icon.svg")
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""Characters that HTML does not allow in text."""


class Renderer:
    """Renders templates. The folders `templates` and `static` are data of this package."""

    def __init__(self, version: str) -> None:
        """Prepare; `version` of core stands below each page."""
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
        """Return a page. Raises jinja2.UndefinedError when the template needs what `content` lacks."""
        html = self._environment.get_template(template).render(content)
        return HTMLResponse(html, status, {**HEADERS, **_NOT_KEPT})

    def asset(self, name: str) -> Response:
        """Return a file of the page. Its URL changes with its content, so browsers keep it."""
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        return Response(self._assets[name], media_type=media_type, headers={**HEADERS, **_KEPT})


def text(content: str) -> Response:
    """Return plain text, which no browser takes for anything else."""
    return Response(content, media_type="text/plain", headers={**HEADERS, **_NOT_KEPT})


def see_other(location: str) -> Response:
    """Return a redirection to a path relative to the requested one, which works below every prefix of a proxy."""
    return RedirectResponse(location, 303, {**HEADERS, **_NOT_KEPT})


def _showable(value: Any) -> Any:
    """Replace characters that would make the page malformed; names, messages and logs come from strangers."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNSHOWABLE.sub("\ufffd", value)
    return value
