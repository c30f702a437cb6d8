"""A storage of static files that leaves `.gz` and `.br` beside the hashed ones, for servers that send those.

WhiteNoise's CompressedManifestStaticFilesStorage does the same; this one is for sites without WhiteNoise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

from .build import build


class CompressedManifestStaticFilesStorage(ManifestStaticFilesStorage):
    def post_process(self, *args: Any, **kwargs: Any) -> Iterator[tuple[str, Any, Any]]:
        for name, hashed, processed in super().post_process(*args, **kwargs):
            yield name, hashed, processed
            if isinstance(hashed, str) and Path(hashed).suffix in build.COMPRESSED:
                path = Path(self.path(hashed))
                build.compress_gzip(path)
                build.compress_brotli(path)
