"""For those who call setup.py; everything it says is in pyproject.toml."""

from __future__ import annotations

import setuptools

if int(setuptools.__version__.partition(".")[0]) < 61:
    raise SystemExit(
        f"setuptools {setuptools.__version__} cannot read pyproject.toml. Run `pip install .`, which brings its own."
    )

setuptools.setup()
