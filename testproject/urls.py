"""The sample site's addresses: the scheduler at the root, the sign-in, the admin; to try it out, a provider."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

handler403 = "testproject.errors.permission_denied"
urlpatterns = [
    path("", include("testproject.sprints.urls")),
    path("admin/", admin.site.urls),
    path("jobs/", include("djintegrate.jobs.urls")),
    path("openid/", include("djintegrate.openid_auth.urls")),
    # Browsers ask for it where a page names no icon: a page of the provider's library, what json/ says.
    path("favicon.ico", RedirectView.as_view(url=static("sprints/icon.svg")), name="favicon"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
]
if settings.DEBUG:
    urlpatterns.append(path("provider/", include("testproject.provider.urls")))
