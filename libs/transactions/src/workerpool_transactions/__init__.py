"""One wallet's transaction pipeline: nonces, journal, fees, resends, replacements, receipts."""
