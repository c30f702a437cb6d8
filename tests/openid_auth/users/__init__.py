"""An app with user models that are not Django's."""
