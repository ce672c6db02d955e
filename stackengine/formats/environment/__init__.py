"""Heat's environment files: values for parameters, what types stand for, and what is said of single resources."""

from stackengine.formats.environment.files import EnvironmentFiles, read
from stackengine.formats.environment.merge import merged

__all__ = ["EnvironmentFiles", "merged", "read"]
