"""Judges: models that say by a rubric how good something is, how far they agree, and how far they can be trusted."""
