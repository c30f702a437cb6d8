"""The scheduler's own tests: `manage.py test testproject`, on the database that DATABASE_URL names."""
