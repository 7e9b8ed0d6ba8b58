"""Long runs that survive interruption, on one machine or many."""
