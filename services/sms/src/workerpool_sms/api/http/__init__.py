"""HTTP routes of the SMS, as the iExec SDK and the old stack call them."""
