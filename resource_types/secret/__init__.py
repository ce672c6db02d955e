"""The type, in handler.py."""
