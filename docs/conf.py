"""Sphinx: Markdown pages, and a reference written from the recipe's schema and from the command line itself."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from sphinx.application import Sphinx

project = "synth"
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "synth"
html_theme_options = {"source_repository": "", "navigation_with_keys": True}
exclude_patterns = ["_build"]
suppress_warnings = ["myst.xref_missing"]  # links to files beside docs/, such as benchmarks/README.md


def _write_reference(_: Sphinx) -> None:
    import reference

    reference.write(Path(__file__).parent / "reference")


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _write_reference)
