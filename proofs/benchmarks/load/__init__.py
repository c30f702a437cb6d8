"""Load on the sample site, beside the same pages with everything in Django's ORM."""
