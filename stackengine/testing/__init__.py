"""What a resource type must keep, for its authors: the contract suite, the pytest plugin, and the pages of the reference that are made of the types."""
