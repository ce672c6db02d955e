"""Parameters, conditions, functions, foreign types, property validation: Template to Desired."""
