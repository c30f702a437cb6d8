"""DijitRenderer: forms that look finished, as plain HTML and as dijits, with no CSS of the site's.

`FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"`. The stylesheet, form.css, comes with {% dojo request.dojo %}
where one of these is the default or the renderer of a form that the page gives to dojo_form().
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.forms.renderers import DjangoTemplates, TemplatesSetting, get_default_renderer

from djintegrate.common.types import did_you_mean, unfit


class DijitRenderer(DjangoTemplates):
    """Labels above, help and errors below; one column on phones, a grid on wide screens."""

    form_template_name = "djintegrate/dojo/form.html"
    formset_template_name = "djintegrate/dojo/formset.html"
    field_template_name = "djintegrate/dojo/field.html"


class DijitTemplatesSetting(TemplatesSetting):
    """The same for a site that has widgets' templates of its own, found by its TEMPLATES."""

    form_template_name = DijitRenderer.form_template_name
    formset_template_name = DijitRenderer.formset_template_name
    field_template_name = DijitRenderer.field_template_name


def wants_stylesheet_by_default() -> bool:
    """Whether FORM_RENDERER writes what needs form.css. Raises ImproperlyConfigured where it is no renderer."""
    try:
        return wants_stylesheet(get_default_renderer())
    except Exception as error:  # whatever its module does when it is imported
        given = settings.FORM_RENDERER
        ours = [f"{kind.__module__}.{kind.__qualname__}" for kind in (DijitRenderer, DijitTemplatesSetting)]
        djangos = [f"django.forms.renderers.{name}" for name in ("DjangoTemplates", "Jinja2", "TemplatesSetting")]
        should_be = f"the path of a renderer's class, such as {ours[0]!r}"
        why = f"of which no renderer can be made ({type(error).__name__}: {error})"
        wrong = unfit(given, should_be, why, did_you_mean(given, [*ours, *djangos]))
        raise ImproperlyConfigured(f"FORM_RENDERER{wrong}") from error


def wants_stylesheet(renderer: Any) -> bool:
    """Whether what it writes needs form.css."""
    return isinstance(renderer, (DijitRenderer, DijitTemplatesSetting))
