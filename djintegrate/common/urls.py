"""What the site's URLs import: views, and with them what registers itself when it is imported.

A process that serves has imported all of that before anybody asks. A command, a check, a shell or a worker has not.
"""

from __future__ import annotations

from django.urls import get_resolver


def import_urls() -> Exception | None:
    """What went wrong, if anything did: Django's own check tells of it too."""
    try:
        _ = get_resolver().url_patterns
    except Exception as error:  # whatever the modules do when they are imported
        return error
    return None
