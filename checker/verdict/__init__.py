"""From evidence to a calibrated probability, a verdict, and the reasons for it."""
