"""Rules of downloads: which URLs and addresses are accepted, and how much may arrive."""
