"""SE::VolumeAttachment: a volume as a disk of a server."""
