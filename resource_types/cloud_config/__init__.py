"""SE::CloudConfig: a cloud-config document made of a map."""
