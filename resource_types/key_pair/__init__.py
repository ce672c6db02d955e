"""SE::KeyPair: an SSH key pair."""
