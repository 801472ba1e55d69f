"""The market API over HTTP."""
