"""What the engine costs beside Django's native backends, and what it holds on to. Also a small Django app."""
