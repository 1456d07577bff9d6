"""Formats that trainers load, one file each: a dataset row in, a record of that format out."""
