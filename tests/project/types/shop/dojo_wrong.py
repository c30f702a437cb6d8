"""A theme that there is not and misspelt attributes of request.dojo, beside what is right."""

from __future__ import annotations

from djintegrate.dojo.http import DojoHttpRequest


def view(request: DojoHttpRequest) -> None:
    request.dojo.theme = "soria"
    request.dojo.dj_config["isDebug"] = True
    request.dojo.form_function = ("site.forms", "dijitize")
    request.dojo.theme = "clara"  # wrong
    request.dojo.them = "soria"  # wrong
    request.dojo.src = "/static/dojo.js"  # wrong
