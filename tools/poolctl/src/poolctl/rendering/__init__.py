"""How documents are shown: as tables, JSON or YAML."""
