"""The site's addresses with DEBUG: the provider's are among them."""

from __future__ import annotations

from django.urls import include, path

from testproject.urls import handler403 as handler403
from testproject.urls import urlpatterns as others

urlpatterns = [*others, path("provider/", include("testproject.provider.urls"))]
