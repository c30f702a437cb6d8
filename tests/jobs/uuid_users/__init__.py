"""An app with people whose keys are UUIDs."""
