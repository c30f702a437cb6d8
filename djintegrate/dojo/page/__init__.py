"""What a page says about Dojo: its settings, and the specification of its dijits."""
