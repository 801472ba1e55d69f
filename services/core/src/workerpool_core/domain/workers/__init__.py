"""Decisions about workers: sessions, liveness, drain, quarantine and commands."""
