"""A guest book kept by two ORMs: each entry is one row of Storm's and one of Django's, in one transaction."""
