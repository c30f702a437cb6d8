"""DijitRenderer: forms that look finished, as plain HTML and as dijits, with no CSS of the site's.

`FORM_RENDERER = "djintegrate.dojo.forms.DijitRenderer"`. The stylesheet, form.css, comes with {% dojo request.dojo %}
where one of these is the default or the renderer of a form that the page gives to dojo_form().
"""

from __future__ import annotations

from typing import Any

from django.forms.renderers import DjangoTemplates, TemplatesSetting


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


def wants_stylesheet(renderer: Any) -> bool:
    """Whether what it writes needs form.css."""
    return isinstance(renderer, (DijitRenderer, DijitTemplatesSetting))
