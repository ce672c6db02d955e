"""What a resource type must keep: contract suite, scenarios, golden files, strategies."""
