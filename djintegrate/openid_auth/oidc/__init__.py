"""OpenID Connect: what goes to a provider, and what comes back. Needs the extra [oidc]; knows nothing of `protocol`."""
