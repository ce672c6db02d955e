"""TOSCA: spelling only; meaning is in ``evaluate``."""
