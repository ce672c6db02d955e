"""The resource type SE::SecurityGroup."""
