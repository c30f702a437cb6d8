"""What a provider's answer says under signature. Nothing else of it is ever read."""

from __future__ import annotations

from openid.consumer.consumer import SuccessResponse


def signed_values(response: SuccessResponse, namespace: str) -> dict[str, str]:
    """The values in `namespace`; none at all unless each of them, and the namespace's declaration, is signed.

    An unsigned declaration could be changed on its way, and make values of one extension those of another.
    """
    alias = response.message.namespaces.getAlias(namespace)
    if alias is None:
        return {}
    if response.message.isOpenID2() and f"openid.ns.{alias}" not in response.signed_fields:
        return {}
    return response.getSignedNS(namespace) or {}
