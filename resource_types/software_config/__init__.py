"""SE::SoftwareConfig."""
