"""What speaks for and against machine translation: one module a kind of evidence."""
