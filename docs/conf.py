"""Sphinx settings of the documentation: Markdown through MyST, the furo theme."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from djintegrate import __version__

project = "djintegrate"
author = "the djintegrate authors"
release = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
# Links such as page.md#a-heading work here as they do on a forge.
myst_heading_anchors = 4

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_title = f"djintegrate {release}"
