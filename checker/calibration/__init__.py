"""Fit the verdict: the shipped one, or one on your own posts."""
