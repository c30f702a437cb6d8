"""From a provider's answer to a user of the site."""
