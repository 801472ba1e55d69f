"""Decisions about workers: sessions, resumption, quarantine."""
