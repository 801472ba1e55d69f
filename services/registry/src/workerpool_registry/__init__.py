"""The registry: which chain the pool works on, and where the services of its platform are."""
