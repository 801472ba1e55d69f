"""AES-256-GCM: the key file, and values encrypted with its keys."""
