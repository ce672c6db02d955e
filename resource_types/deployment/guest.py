"""A guest as its agent shows it (QEMU guest agent protocol: guest-ping, guest-exec, guest-file-*)."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from stackengine import sdk

from .work import STATE, Run

CHUNK = 48_000
"""Bytes of one guest-file-write; libvirt's messages have a limit."""


class GuestLostError(Exception):
    """The agent did not answer in time."""


@dataclass(slots=True)
class Result:
    """What a run gave."""

    status: int = 0
    stdout: str = ""
    stderr: str = ""
    outputs: dict[str, str] = field(default_factory=dict)


class Guest:
    """One guest."""

    def __init__(self, ctx: sdk.Context, uuid: str) -> None:
        self._ctx, self._uuid = ctx, uuid

    def runs(self) -> bool:
        """Whether its domain runs."""
        info = self._ctx.host.domain_info(self._uuid)
        return info is not None and info.state == "running"

    def wait_for_agent(self, timeout: float) -> None:
        """Until the agent answers; GuestLostError after ``timeout`` seconds."""
        try:
            self._ctx.wait_until(self._pinged, timeout, "an answer of the guest's agent")
        except sdk.FailedError as error:
            raise GuestLostError(str(error)) from error

    def carry_out(self, run: Run, timeout: float, *, wait: bool) -> Result:
        """Run it, or take up a run that is under way or over; FailedError after ``timeout`` seconds."""
        for file in run.files:
            self._put(run.folder, file.path, file.content, file.mode)
        program = (Path(__file__).parent / "run.sh").read_text("utf-8")
        environment = [f"{k}={v}" for k, v in {**run.environment, "SE_RUN": run.folder, "SE_NOWAIT": "" if wait else "1"}.items()]
        arguments = {
            "path": "/bin/sh", "arg": ["-c", program, "stackengine", *run.interpreter], "env": environment, "capture-output": wait,
            "input-data": base64.b64encode(run.script.encode()).decode(),
        }  # fmt: skip
        starts = itertools.count()
        process: list[int] = []

        def probe() -> dict[str, Any] | None:
            try:
                if not process:
                    next(starts)
                    process.append(int(self._ask("guest-exec", arguments)["pid"]))
                found: dict[str, Any] = self._ask("guest-exec-status", {"pid": process[0]})
            except sdk.AgentError:
                process.clear()  # the guest or its agent restarts: the folder knows what was run
                return None
            except sdk.RefusedError as error:
                if "pid" not in str(error).lower() or next(starts) > 100:
                    raise
                process.clear()
                return None
            return found if found.get("exited") else None

        return self._result(self._ctx.wait_until(probe, timeout, f"the end of the script ({run.action})"), wait=wait)

    def forget(self, deployment: str) -> None:
        """Remove what runs of a deployment left."""
        self._ctx.wait_until(self._pinged, 10, "an answer of the guest's agent")
        self._ask("guest-exec", {"path": "/bin/rm", "arg": ["-rf", f"{STATE}/{deployment}"]})

    def _result(self, status: Mapping[str, Any], *, wait: bool) -> Result:
        result = Result()
        lines = base64.b64decode(status.get("out-data") or "").decode("utf-8", "replace").splitlines()
        if not lines and (not wait or getattr(self._ctx.host, "simulated", False)):
            return result
        if status.get("exitcode") != 0 or not lines:
            errors = base64.b64decode(status.get("err-data") or "").decode("utf-8", "replace")
            hint = "is its interpreter in the guest, and is there room in /var/lib? stack-run exec STACK SERVER -- CMD looks"
            raise sdk.FailedError(f"the script could not be started in the guest (exit code {status.get('exitcode')})", tail=errors, hint=hint)
        for line in lines:
            kind, _, rest = line.partition(" ")
            match kind:
                case "status":
                    result.status = int(rest or 255)
                case "stdout":
                    result.stdout = _text(rest)
                case "stderr":
                    result.stderr = _text(rest)
                case "output":
                    name, _, content = rest.partition(" ")
                    result.outputs[name] = _text(content)
        return result

    def _pinged(self) -> bool | None:
        try:
            self._ask("guest-ping", {})
        except (sdk.AgentError, sdk.TransientError):
            return None
        return True

    def _ask(self, command: str, arguments: Mapping[str, Any]) -> Any:
        asked = {"execute": command, "arguments": dict(arguments)} if arguments else {"execute": command}
        return self._ctx.host.domain_agent(self._uuid, asked, 10)

    def _put(self, folder: str, path: str, content: bytes, mode: str) -> None:
        """Write a file; its folder is made by a command, as the agent makes none."""
        target = str(PurePosixPath(folder) / path)
        parent = str(PurePosixPath(target).parent)
        self._finish({"path": "/bin/mkdir", "arg": ["-p", parent]})
        handle = self._ask("guest-file-open", {"path": target, "mode": "w"})
        for start in range(0, max(1, len(content)), CHUNK):
            part = base64.b64encode(content[start : start + CHUNK]).decode()
            self._ask("guest-file-write", {"handle": handle, "buf-b64": part})
        self._ask("guest-file-close", {"handle": handle})
        self._finish({"path": "/bin/chmod", "arg": [mode, target]})

    def _finish(self, arguments: Mapping[str, Any]) -> None:
        pid = self._ask("guest-exec", arguments)["pid"]

        def over() -> dict[str, Any] | None:
            found: dict[str, Any] = self._ask("guest-exec-status", {"pid": pid})
            return found if found.get("exited") else None

        status = self._ctx.wait_until(over, 30, f"the end of {arguments['path']}")
        if status.get("exitcode"):
            said = f"{arguments['path']} {' '.join(arguments['arg'])} failed in the guest (exit code {status['exitcode']})"
            raise sdk.FailedError(said, hint="is its file system full, or read-only? stack-run exec STACK SERVER -- df -h")


def _text(data: str) -> str:
    return base64.b64decode(data).decode("utf-8", "replace")
