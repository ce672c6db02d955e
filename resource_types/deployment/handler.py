"""SE::Deployment: a script that runs in a guest, over the guest's agent."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk

from .guest import Guest, GuestLostError
from .work import Run, run_of


class Deployment(sdk.ResourceType):
    """Runs once for each action that it has; the folder of the run in the guest says what came of it, so a crash runs nothing twice."""

    name: ClassVar[str] = "SE::Deployment"
    traceless: ClassVar[bool] = True
    movable: ClassVar[bool] = True

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        if want.get("config") is None and want.get("script") is None:
            return [sdk.Refusal("", "a deployment needs a config or a script")]
        if want.get("config") is not None and want.get("script") is not None:
            return [sdk.Refusal("script", "a deployment has a config or a script, not both")]
        return []

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "agent" in profile.features:
            return []
        return [sdk.Refusal("server", "this host reaches no agents in guests, so nothing can be run there", "put the script into user_data")]

    def unrestored(self, last: sdk.Properties, want: sdk.Properties) -> list[str]:
        return ["a rollback runs what it ran before again, and leaves what the new run did in the guest"] if "UPDATE" in (want.get("actions") or ()) else []

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """Run for CREATE; for UPDATE where it ran before (an update that did not end is finished by a create)."""
        return self._run(ctx, want, "UPDATE" if "deploy_status_code" in ctx.attributes else "CREATE")

    def update(self, ctx: sdk.Context, want: sdk.Properties, last: sdk.Properties) -> dict[str, sdk.Value]:
        return self._run(ctx, want, "UPDATE")

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        """What ran leaves nothing that could differ; without its guest it is gone."""
        server = ctx.referred(last["server"])
        return {} if server is not None and ctx.host.domain_info(_uuid(server)) is not None else None

    def move(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        """It goes along with its guest: nothing is run again."""
        return {}

    def stop(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        """Run for DELETE, if it has that action and its guest is there to run it."""
        server = ctx.referred(last["server"])
        if server is None:
            return
        run = run_of(ctx, last, "DELETE", server.physical_id)
        guest = Guest(ctx, _uuid(server))
        if not guest.runs():
            return
        try:
            if run is not None:
                self._carried_out(ctx, guest, run, last)
            elif not server.going:
                guest.forget(ctx.identity["physical_id"])
        except GuestLostError as error:
            if not server.going:
                raise sdk.FailedError(str(error), hint="the guest must run and its agent answer, so that the deployment can be undone") from error
            ctx.progress(f"the guest goes too, and its agent does not answer: {error}")

    def _run(self, ctx: sdk.Context, want: sdk.Properties, action: str) -> dict[str, sdk.Value]:
        server = ctx.referred(want["server"])
        if server is None:
            raise sdk.FailedError(f"the server {want['server']} is not part of this stack", hint="a deployment runs in a guest of its own stack")
        run = run_of(ctx, want, action, server.physical_id)
        if run is None:
            return {"deploy_stdout": "", "deploy_stderr": "", "deploy_status_code": 0, "outputs": {}}
        try:
            return self._carried_out(ctx, Guest(ctx, _uuid(server)), run, want)
        except GuestLostError as error:
            raise sdk.FailedError(str(error), hint="does the image have qemu-guest-agent, with guest-exec allowed?") from error

    @staticmethod
    def _carried_out(ctx: sdk.Context, guest: Guest, run: Run, want: sdk.Properties) -> dict[str, sdk.Value]:
        guest.wait_for_agent(want["agent_timeout"])
        ctx.progress(f"running {run.action}")
        result = guest.carry_out(run, want["timeout"], wait=want["wait"])
        if result.status != 0:
            text = f"the script failed for {run.action}: exit code {result.status}"
            hint = "what it printed says why; mend the script, and say the command again"
            if result.status == 127:
                hint = "a program is not in the guest: what runs it, or one that it calls"
            raise sdk.FailedError(text, hint=hint, tail=result.stderr or result.stdout)
        wrong = [f"{n}: {result.outputs[n].strip()}" for n in run.error_outputs if result.outputs.get(n, "").strip()]
        if wrong:
            hint = "the script itself wrote it to an output that its config marks error_output: mend its cause, and say the command again"
            raise sdk.FailedError(f"the script reported an error for {run.action}: {'; '.join(wrong)}", tail=result.stderr, hint=hint)
        outputs = {n: result.outputs.get(n) for n in run.outputs} if run.outputs is not None else dict(result.outputs)
        return {"deploy_stdout": result.stdout, "deploy_stderr": result.stderr, "deploy_status_code": result.status, "outputs": outputs}


def _uuid(server: sdk.Referred) -> str:
    return str(server.identity.get("uuid", server.physical_id))


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Heat's way to name a config (its content stands for it elsewhere) and how its end is told."""
    if "$config" in properties:
        properties["config"] = sdk.resource_of(properties.pop("$config"))
    else:
        properties.setdefault("script", "")
    transport = properties.pop("$transport", None)
    if transport == "NO_SIGNAL":
        properties["wait"] = False
    return properties
