"""Decisions about replicates: status reports, consensus forecast, uploads."""
