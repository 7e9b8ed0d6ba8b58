"""What makes the shipped models and measures them; run from the root of the repository, and not installed."""
