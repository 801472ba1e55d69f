"""The outside of the result proxy: gRPC and HTTP. Translates and delegates, decides nothing."""
