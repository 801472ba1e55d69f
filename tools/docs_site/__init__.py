"""The documents as one site that works offline: `make site` builds it from docs/ with Sphinx."""
