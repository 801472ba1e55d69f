"""Pure decisions of the order publisher."""
