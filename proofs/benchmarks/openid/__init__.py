"""How many SQL statements a sign-in takes, beside django-openid-auth 0.17 on Django 4.2 in its own environment."""
