"""``fmt``: a template in canonical order and indentation, comments kept; what it means never changes."""

from stackengine.formats.layout.layout import Unformattable, laid_out

__all__ = ["Unformattable", "laid_out"]
