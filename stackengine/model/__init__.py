"""Pure data: marks, diagnostics, values, expressions, templates, desired state, instances. Imports nothing of the project."""
