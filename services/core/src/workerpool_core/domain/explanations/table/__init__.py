"""The rows of the table of reasons, by subject."""
