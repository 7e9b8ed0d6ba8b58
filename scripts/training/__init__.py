"""From test sets and corpora to the files of ``models/embedded``: one module per model."""
