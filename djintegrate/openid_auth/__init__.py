"""An OpenID 2.0 relying party for django.contrib.auth that maps Launchpad teams to groups."""
