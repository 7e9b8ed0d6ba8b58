"""Long runs: durable batches on one machine, and the same on many."""
