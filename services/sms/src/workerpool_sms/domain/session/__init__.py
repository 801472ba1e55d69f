"""Sessions: their rules, and the environments of the stages in enclaves."""
