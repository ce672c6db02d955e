"""The resource type SE::QoSPolicy."""
