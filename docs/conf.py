"""Sphinx settings of the documentation: Markdown through MyST, docstrings through autodoc, the furo theme."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import django
from django.conf import settings
from sphinx.ext.autodoc.mock import mock

from djintegrate import __version__

# The reference that is made of docstrings imports the apps, with nothing of the extras, which need not be installed.
autodoc_mock_imports = [
    "authlib", "brotli", "disarm", "django_tasks", "django_tasks_db", "joserfc", "nh3", "openid", "regex", "requests",
    "rules", "selectolax",
]  # fmt: skip
INSTALLED_APPS = [
    *(f"django.contrib.{app}" for app in ("auth", "contenttypes", "sessions")),
    *(f"djintegrate.{app}" for app in ("storm_backend", "openid_auth", "dojo", "files", "jobs", "jsonrpc")),
]
settings.configure(INSTALLED_APPS=INSTALLED_APPS)
with mock(autodoc_mock_imports):
    django.setup()

autoclass_content = "both"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# Docstrings have names and code in single backticks.
default_role = "literal"

project = "djintegrate"
author = "the djintegrate authors"
release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]
# Links such as page.md#a-heading work here as they do on a forge.
myst_heading_anchors = 4

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_js_files = ["tables.js"]
html_title = f"djintegrate {release}"
