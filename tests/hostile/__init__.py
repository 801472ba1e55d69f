"""`make hostile`: a seeded mix of hostile deals, workers and faults beside honest deals, and a judge of the outcome."""
