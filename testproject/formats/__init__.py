"""How the site writes days and times, also on the pages of apps that are not its own: settings.FORMAT_MODULE_PATH."""
