"""Hand-made faults in planning, walk, journal, recovery and store: the tests must find every one (``make mutants``)."""
