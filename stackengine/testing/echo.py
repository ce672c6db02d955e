"""A handler of custom resources that answers with what it was told: what the contract suite calls."""

from __future__ import annotations

from typing import Any


def answer(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Everything succeeds; the properties come back as data."""
    physical_id = event.get("PhysicalResourceId") or f"echo-{event['LogicalResourceId']}"
    return {"Status": "SUCCESS", "PhysicalResourceId": physical_id, "Data": {k: v for k, v in event["ResourceProperties"].items() if k != "ServiceToken"}}
