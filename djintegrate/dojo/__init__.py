"""Django form fields as Dojo's dijits, made by program over the ordinary HTML; and a build that makes them fast."""
