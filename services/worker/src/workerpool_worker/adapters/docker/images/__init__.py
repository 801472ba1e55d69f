"""Images of apps: credentials, pulls, and their removal."""
