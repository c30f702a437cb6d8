"""OpenID 2.0: what goes to a provider, and what comes back. Knows nothing of `oidc`."""
