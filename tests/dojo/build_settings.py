"""Settings of a dojo_build that runs in a process of its own."""

from __future__ import annotations

import os

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.dojo.site"
DOJO_BUILD_ROOT = os.environ["BUILD_ROOT"]
