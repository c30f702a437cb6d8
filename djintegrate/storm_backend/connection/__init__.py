"""Django's native wrapper with the layer that joins: the hooks, and the three things that its transaction can be."""
