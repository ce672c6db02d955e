"""SE::Deployment."""
