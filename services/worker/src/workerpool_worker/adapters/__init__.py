"""Implementations of the ports of `app`, one module or package per technology."""
