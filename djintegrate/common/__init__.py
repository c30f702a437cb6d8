"""What several of the apps need, and none of them owns. It imports no app, and is not an app itself."""
