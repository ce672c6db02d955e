"""SE::TestResource: a value that takes time and fails when it is told to, for tests of templates and of the engine."""
