"""Decisions about replicates: status reports and their proofs, consensus forecast, result uploads."""
