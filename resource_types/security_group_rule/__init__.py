"""The resource type SE::SecurityGroupRule."""
