"""SE::Flavor: a size of servers that a template names itself."""
