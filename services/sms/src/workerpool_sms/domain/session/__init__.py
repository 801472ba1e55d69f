"""Sessions: who may have one, and the environments of the stages that run in enclaves."""
