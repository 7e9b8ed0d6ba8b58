"""Fitting the verdict: the shipped one and one on your own posts."""
