"""The resource type SE::QoSRule."""
