"""The PoCo contracts, funded accounts, resources, orders and deals."""
