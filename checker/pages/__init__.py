"""A file of scores as one page for people: `checker.io.outcomes` reads, `summary` counts, `page` writes."""
