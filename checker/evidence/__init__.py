"""What speaks for and against machine translation: one module per kind of evidence."""
