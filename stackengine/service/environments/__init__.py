"""Branch environments: a stack for every branch of a repository, with a life of its own. A stack with tags; no second engine, no second database."""
