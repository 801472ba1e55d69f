"""Rules for the containers of apps: network and disk."""
