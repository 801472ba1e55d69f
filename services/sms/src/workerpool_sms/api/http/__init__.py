"""HTTP routes of the SMS, in the form of the iExec SDK and the old stack."""
