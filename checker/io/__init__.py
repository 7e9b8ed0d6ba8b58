"""The edge: reading posts, writing results."""
