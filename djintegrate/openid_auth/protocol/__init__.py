"""What goes to a provider, and what comes back."""
