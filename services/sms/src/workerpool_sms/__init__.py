"""The secret management service (SMS): secrets of users and contracts, challenges and sessions of enclaves."""
