"""synth: a small curated set in, a checked training set out."""
