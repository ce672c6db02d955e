"""SE::RandomString: random text, made once."""
