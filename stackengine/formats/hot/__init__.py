"""OpenStack HOT: spelling only; meaning is in ``evaluate``."""
