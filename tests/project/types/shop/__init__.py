"""An app of the project that type checkers look at. Nothing here is ever run, but for its models."""
