"""SE::VolumeSnapshot: what a volume held at one instant."""
