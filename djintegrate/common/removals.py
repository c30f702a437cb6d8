"""What the engine says before rows of a Storm class are removed, for those who work with it and without."""

from __future__ import annotations

from django.dispatch import Signal

# Sent before rows of a shared store are removed. sender: the Storm class; store; objects: those to be removed, which
# may be a result set, and costs a query only where somebody looks.
pre_remove = Signal()
