"""The sprint scheduler: sessions, rooms and attendance are Storm's, people and groups Django's, changed together.

Read storm_models.py and models.py first, then actions.py; docs/explanation/sample-site.md walks through all of it.
"""
