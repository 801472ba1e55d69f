"""The PoCo contracts: their interface, calls, events and views."""
