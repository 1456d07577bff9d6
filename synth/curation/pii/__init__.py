"""Personal data in texts: found by Presidio and by patterns of our own, taken out or replaced by nobody's."""
