"""A small world for histories: a strict host of plain things, seeded hands, and the real planner, walk, executor, journal, store and use cases on them."""
