"""Text to Template: the located tree, language detection, and one room per language."""
