"""One file a framework. None is imported by the app itself."""
