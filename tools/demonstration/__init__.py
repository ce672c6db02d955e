"""``make demo``: the whole life of a stack, told step by step while it happens."""
