"""Data of any origin made clean: rows in and out of large files, cleaning, deduplication, one structure."""
