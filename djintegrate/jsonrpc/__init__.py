"""Functions that other programs and the browser call by JSON-RPC 1.0, 1.1 and 2.0, with a console to try them.

from djintegrate.jsonrpc import jsonrpc_method, jsonrpc_site
"""

from __future__ import annotations

from .errors import JSONRPCError
from .proxy import ServiceProxy
from .site import JSONRPCSite, jsonrpc_method, jsonrpc_site

__all__ = ["JSONRPCError", "JSONRPCSite", "ServiceProxy", "jsonrpc_method", "jsonrpc_site"]
