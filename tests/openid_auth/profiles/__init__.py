"""A site's app whose first migration refers to django-openid-auth's identities, and whose second refers to ours."""
