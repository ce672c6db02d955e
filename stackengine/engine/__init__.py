"""The walk over a plan: journal rules, gates, failure policy. Pure: threads, clocks and hosts come in as arguments."""

from stackengine.engine.context import ContextParts
from stackengine.engine.executor import SIGNAL, execute

__all__ = ["SIGNAL", "ContextParts", "execute"]
