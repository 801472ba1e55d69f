"""Hostile and broken workers: strangers that speak the protocol, and real workers on broken hosts."""
