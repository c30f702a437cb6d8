"""What a page has to know of Dojo, written into it as JSON; and what JSON cannot say, with the place to convert it."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import json_script
from django.utils.safestring import SafeString

from .page import Dojo


def script(page: Dojo, said: dict[str, Any], identifier: str) -> SafeString:
    """The element with what this page's specification(), or fragment(), has said."""
    try:
        return json_script(said, identifier, SpecificationEncoder)
    except TypeError as error:
        raise TypeError(f"{str(error).rstrip('.')}. {_place(page, said)}") from error


class SpecificationEncoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError as error:
            raise TypeError(f"{o!r} cannot be sent to the browser, because JSON has no {type(o).__name__}") from error


def _place(page: Dojo, said: dict[str, Any]) -> str:
    for field in (field for step in said["steps"] for field in step.get("fields", ())):
        try:
            json.dumps(field, cls=SpecificationEncoder)
        except TypeError:
            owner = page.owner(field["id"])
            return f"It is in the attributes of {owner}: convert it there, in attr_map or dojo_attrs."
    return "It is in dj_config: convert it there."
