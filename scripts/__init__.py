"""Scripts that make and measure the shipped models; not installed. Run them from the repository root."""
