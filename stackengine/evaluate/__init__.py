"""Parameters, conditions, functions, foreign types, property validation: Template to Desired."""

from stackengine.evaluate.evaluate import Environment, Evaluated, Explored, evaluate, explore
from stackengine.evaluate.evaluator import PENDING, EvaluationError, Lookup, Secrets, resolve, seal

__all__ = ["PENDING", "Environment", "Evaluated", "EvaluationError", "Explored", "Lookup", "Secrets", "evaluate", "explore", "resolve", "seal"]
