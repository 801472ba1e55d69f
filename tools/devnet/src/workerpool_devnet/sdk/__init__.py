"""What the iExec SDK needs to use a devnet: its configuration files, key stores, and the pool's name in ENS."""
