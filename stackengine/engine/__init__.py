"""The walk over a plan: journal rules, gates, failure policy. Pure: threads, clocks and hosts come in as arguments."""
