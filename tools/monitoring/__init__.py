"""The dashboards and alert rules of a pool: one description, from which `make docs` writes what deploy/ holds."""
