"""What two ORMs in one transaction do to isolation: nothing. Shown by anomalies, by histories, and by peers' own tests.

A Django app, so that its tables have models: all of it runs in processes of its own.
"""
