"""The sample site's busiest pages on Django's native backend, with everything in Django's ORM, on the same tables."""
