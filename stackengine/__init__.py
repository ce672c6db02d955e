"""stackengine: a template goes in, real virtual machines, volumes and networks come out."""

__version__ = "0.1.0"
