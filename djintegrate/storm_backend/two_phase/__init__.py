"""How stores that can prepare come to one outcome, and what a crash has left of that."""
