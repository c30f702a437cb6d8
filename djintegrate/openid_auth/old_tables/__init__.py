"""django-openid-auth's tables under that app's label, for a site whose own migrations refer to them.

An app to be installed until those migrations refer to ours: docs/how-to/moving-from-django-openid-auth.md.
"""
