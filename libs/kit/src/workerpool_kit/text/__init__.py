"""Texts that programs of operators print."""
