"""What several of the apps need, and none of them owns. Imports no app, and is none itself."""
