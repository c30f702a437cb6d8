"""For those who call setup.py; everything it says is in pyproject.toml."""

from __future__ import annotations

import tempfile

import setuptools

if int(setuptools.__version__.partition(".")[0]) < 61:
    raise SystemExit(
        f"setuptools {setuptools.__version__} cannot read pyproject.toml. Run `pip install .`, which brings its own."
    )

with tempfile.TemporaryDirectory() as folder:
    # In `build`, beside this file, two installations at once would take each other's files away, and end well.
    setuptools.setup(options={"build": {"build_base": folder}})
