"""Pages of lists: links to the next page that keep the filters."""

from collections.abc import Mapping
from urllib.parse import urlencode

PAGE = 50
"""Rows of one page."""


def link(filters: Mapping[str, str], token: str = "") -> str:
    """Return the query of a page of a list with these filters; the first page when the token is empty."""
    query = {name: value for name, value in filters.items() if value} | ({"page": token} if token else {})
    return f"?{urlencode(query)}"


def next_link(filters: Mapping[str, str], token: str) -> str:
    """Return the query of the next page; empty at the end."""
    return link(filters, token) if token else ""
