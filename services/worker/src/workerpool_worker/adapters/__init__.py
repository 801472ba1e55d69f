"""Adapters of the worker's ports, one module or package per technology."""
