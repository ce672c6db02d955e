"""AWS CloudFormation: spelling only; meaning is in ``evaluate``."""
