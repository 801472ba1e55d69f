"""What the registry serves: the chain configuration and the SMS locations of a stack."""
