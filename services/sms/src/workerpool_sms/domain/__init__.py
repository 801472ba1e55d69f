"""Pure values and rules of the SMS."""
