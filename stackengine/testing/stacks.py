"""Stacks for tests: brought up as environments whose lease the test process renews, forked, reset, asked, and taken down."""

from __future__ import annotations

import base64
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from stackengine.cli.render.events import event_line
from stackengine.model.values import reveal
from stackengine.service import Session, access, ssh, stacks, templates
from stackengine.service.environments import cuts, fork, quota, reap, renew, run, up
from stackengine.service.environments.life import LEASE
from stackengine.service.environments.origin import Origin
from stackengine.service.types import Request, ServiceError, Settings

CONSOLE_LINES = 30


@dataclass(frozen=True, slots=True)
class Done:
    """How a command in a guest ended."""

    code: int
    out: str
    err: str = ""

    def ok(self) -> Self:
        """Itself; AssertionError with what it said when it failed."""
        assert self.code == 0, f"it ended with {self.code}: {self.out}{self.err}"
        return self


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class Server:
    """One server of a stack."""

    def __init__(self, stack: Stack, path: str) -> None:
        self._stack, self.path = stack, path
        _, instance, _ = access.find_server(stack.session, stack.name, path)
        self.uuid, self.address = str(instance.identity["uuid"]), str(instance.identity["address"])

    def _host(self) -> Any:
        return self._stack.session.host(self._stack.host)

    def exec(self, script: str, timeout: float = 60.0) -> Done:
        """Run a script in the guest's shell by its agent; needs no network and no key."""
        done = renew.run(self._host(), self.uuid, script, timeout)
        out, err = (base64.b64decode(done.get(k, "")).decode("utf-8", "replace") for k in ("out-data", "err-data"))
        return Done(int(done.get("exitcode", -1)), out, err)

    def ssh(self, *command: str, timeout: float = 60.0) -> Done:
        """Run a command over ssh with the stack's key; host keys are those that the guest told when it was made."""
        login = next(x for x in ssh.logins(self._stack.session, self._stack.name) if x.path == self.path)
        state = ["--state", self._stack.settings.state] if self._stack.settings.state else []
        proxy = [sys.executable, "-m", "stackengine.cli.main", "forward", *state, "--stdio", self._stack.name, self.path, "22"]
        options = [f"ProxyCommand={' '.join(proxy)}", f"UserKnownHostsFile={login.known_hosts}", f"HostKeyAlias={login.alias}"]
        options += ["StrictHostKeyChecking=yes", "BatchMode=yes", "LogLevel=ERROR"]
        identity = ["-i", login.identity, "-o", "IdentitiesOnly=yes"] if login.identity else []
        words = ["ssh", "-F", "/dev/null", *(w for o in options for w in ("-o", o)), *identity, "-l", login.user, self.path, *command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL)
        return Done(done.returncode, done.stdout, done.stderr)

    def get(self, path: str = "/", port: int = 80, timeout: float = 20.0) -> Answer:
        """An HTTP GET from inside the stack's network."""
        connection = http.client.HTTPConnection(self.address, port, timeout=timeout)
        connection.sock = self._host().connect(self.address, port, timeout)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode("utf-8", "replace"), dict(answer.getheaders()))
        finally:
            connection.close()

    def console(self, limit: int = 4096) -> str:
        """The end of its console."""
        return str(self._host().domain_console_tail(self.uuid, limit))


class Stack:
    """A stack that is up; its lease is renewed until :meth:`close`, which takes it down."""

    def __init__(self, settings: Settings, wanted: up.Wanted) -> None:
        self.wanted, self._held = replace(wanted, run_until=time.time() + LEASE), ExitStack()
        self.session = self._held.enter_context(up.open_for(settings, self.wanted))
        self.settings, self.name = settings, wanted.name
        self.cut: cuts.Cut | None = None

    @classmethod
    def up(cls, settings: Settings, branch: str, template: Path, parameters: Mapping[str, Any], repository: str = "pytest") -> Stack:
        """Bring one up from a template; AssertionError with the reasons when that fails, and nothing is left."""
        made = cls(settings, up.Wanted(Origin(repository, branch)))
        made._held.enter_context(run.Lease(settings, made.name))
        try:
            request = Request(made.name, template, dict(parameters))
            quota.let_in(made.session, made.wanted, lambda: templates.graph(made.session, request), _told)
            preview = stacks.preview(made.session, request)
            up.begin(made.session, preview, made.wanted)
            result = stacks.carry_out(made.session, preview)
            assert result.status == "complete", f"{template}: {result.status}: {'; '.join(f.message for f in result.failures)}\n{made.story()}"
            up.conclude(made.session, made.wanted, result)
        except BaseException:
            made.close()
            raise
        return made

    @classmethod
    def forked(cls, settings: Settings, branch: str, cut: cuts.Cut, repository: str = "pytest") -> Stack:
        """One that starts from a cut."""
        made = cls(settings, up.Wanted(Origin(repository, branch), parent=cut.parent))
        made._held.enter_context(run.Lease(settings, made.name))
        try:
            let_in = quota.let_in(made.session, made.wanted, lambda: stacks.graph(made.session, cut.parent), _told)
            row = fork.fork(made.session, made.wanted, None, cut, let_in=let_in).row
            from stackengine.service import prepare

            result = stacks.carry_out(made.session, prepare.prepare_revision(made.session, row, 1, "update"), on_failure="keep")
            assert result.status == "complete", f"{made.name}: {'; '.join(f.message for f in result.failures)}"
        except BaseException:
            made.close()
            raise
        return made

    @property
    def host(self) -> str:
        """The URI of its host."""
        return up.find(self.session, self.name).row.host

    @property
    def outputs(self) -> dict[str, Any]:
        """Its outputs, secrets too."""
        return {k: reveal(o.value) for k, o in stacks.outputs(self.session, self.name, show_secrets=True).items()}

    def server(self, path: str) -> Server:
        """A server by its path in the template."""
        return Server(self, path)

    def freeze(self) -> cuts.Cut:
        """The cut that :meth:`reset` goes back to, taken now where there is none yet. ServiceError where that cannot be."""
        if self.cut is None:
            self.cut = cuts.take(self.session, up.find(self.session, self.name))
        return self.cut

    def reset(self) -> None:
        """Disks and memories of all servers as they were right after it came up."""
        if self.cut is None:
            reason = cuts.why_not(self.session, up.find(self.session, self.name))
            raise ServiceError(f"{self.name} cannot be reset: {reason or 'it was not frozen'}", hint="say reset=True in its marker")
        fork.reset(self.session, up.find(self.session, self.name), self.cut)

    def story(self) -> str:
        """Its events, and the end of every console: for the report of a failed test."""
        if self.session.store.stack(self.name) is None:
            return ""
        lines = [event_line(e) for e in stacks.events(self.session, self.name)]
        row = self.session.store.stack(self.name)
        for instance in access.servers_of(self.session, row) if row is not None else ():
            tail = self.session.host(instance.host).domain_console_tail(str(instance.identity["uuid"]), 8192)
            lines += [f"--- console of {instance.path}", *tail.splitlines()[-CONSOLE_LINES:]]
        return "\n".join(lines)

    def leave(self) -> None:
        """Let it stand; its lease is somebody else's from now on."""
        self._held.close()

    def close(self) -> None:
        """Take it down, with its host and its cut."""
        try:
            take_down(self.settings, self.name)
        finally:
            self._held.close()


def _told(text: str) -> None:
    """Who waits for room says so; pytest shows it with the test's output."""
    print(text, file=sys.stderr)


def take_down(settings: Settings, name: str) -> None:
    """Take an environment down, where it is there, with its host and the cuts that nobody needs then."""
    with Session(settings) as session:
        if session.store.stack(name) is not None:
            reap.down(session, name)
        cuts.sweep(session)


def settings_of(environ: Mapping[str, str] = os.environ) -> Settings:
    """Where state lives and which host is used: ``STACKENGINE_STATE``, ``STACKENGINE_HOST``."""
    return Settings(environ.get("STACKENGINE_STATE", ""), environ.get("STACKENGINE_HOST", ""))
