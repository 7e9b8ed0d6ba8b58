"""A file of scores as one page for people: `outcomes` reads, `summary` counts, `page` writes."""
