"""Pure values and rules: property files and the stacks that they describe."""
