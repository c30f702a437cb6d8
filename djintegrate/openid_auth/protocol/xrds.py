"""The endpoints that an XRDS document names, once it is known to be of a size that can be afforded.

Elements are counted, and entities refused, by a parser that keeps nothing, before anything is built from the document:
an endpoint is made for each URI of a service, with each of its types, and each element carries its namespace's name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from xml.parsers import expat

from openid.consumer.discover import OpenIDServiceEndpoint
from openid.yadis.etxrd import XRDSError

MAX_ELEMENTS = 2000
MAX_DEPTH = 20
MAX_ATTRIBUTE = 2047
"""Of an attribute's value. A namespace's name is one, and is part of the name of each element in it."""
MAX_ATTRIBUTES = 20
MAX_OF_A_SERVICE = 30
"""Launchpad's service has eight types and one URI."""
PER_SERVICE = ("Type", "URI", "LocalID", "Delegate")


class TooMuch(XRDSError):
    """The document has more of something than any honest one."""


def endpoints_of(claimed_id: str, document: bytes) -> list[OpenIDServiceEndpoint]:
    """What the document names for `claimed_id`, by priority; XRDSError if it is not an XRDS document, or too much."""
    _Census().take(document)
    endpoints: list[OpenIDServiceEndpoint] = OpenIDServiceEndpoint.fromXRDS(claimed_id, document)
    return endpoints


class _Census:
    """Counts what is in a document, and stops at the first thing that is too much."""

    def __init__(self) -> None:
        self._elements = 0
        self._children: list[Counter[str]] = [Counter()]
        """Of the document and of each element that is open: how many elements of each name are right inside of it."""

    def take(self, document: bytes) -> None:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise XRDSError(f"it is not XML: {error}") from error

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        siblings = self._children[-1]
        siblings[name.rpartition(":")[2]] += 1
        self._children.append(Counter())
        if self._elements > MAX_ELEMENTS:
            raise TooMuch(f"it has more than {MAX_ELEMENTS} elements")
        if len(self._children) > MAX_DEPTH:
            raise TooMuch(f"its elements are nested more than {MAX_DEPTH} deep")
        if len(attributes) > MAX_ATTRIBUTES or any(len(value) > MAX_ATTRIBUTE for value in attributes.values()):
            raise TooMuch(f"it has an element with more than {MAX_ATTRIBUTES} attributes, or with a very long one")
        if any(siblings[each] > MAX_OF_A_SERVICE for each in PER_SERVICE):
            raise TooMuch(f"it has a service with more than {MAX_OF_A_SERVICE} of {', '.join(PER_SERVICE)}")

    def _end(self, name: str) -> None:
        self._children.pop()

    def _refuse_doctype(self, *args: object) -> None:
        raise TooMuch("it has a document type declaration, and so may have entities")
