"""``AWS::CloudFormation::Init`` of a server's metadata as a script that the guest runs where its user data calls cfn-init.

The sections, their order and the rules are those of the CloudFormation user guide (cfn-init, AWS::CloudFormation::Init). The guest gets programs of the
names that user data calls: cfn-init, cfn-signal (to the URL of a wait condition's handle, or for the server itself) and cfn-get-metadata, below
/opt/aws/bin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

SECTIONS = ("packages", "groups", "users", "sources", "files", "commands", "services")
PLACE = "/opt/aws/bin"
_INSTALL = {
    "apt": "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -y install", "yum": "$(command -v dnf || echo yum) -y install",
    "dnf": "dnf -y install", "zypper": "zypper --non-interactive install", "rpm": "rpm -U --replacepkgs", "python": "pip3 install", "rubygems": "gem install",
    "apk": "apk add",
}  # fmt: skip
_VERSION = {"apt": "=", "yum": "-", "dnf": "-", "zypper": "=", "python": "==", "rubygems": " -v ", "apk": "="}
_INIT = r"""#!/bin/sh
# What this server's template says in AWS::CloudFormation::Init.
sets=default
while [ $# -gt 0 ]; do
    case $1 in
    -c | --configsets) sets=$2; shift ;;
    --configsets=*) sets=${1#*=} ;;
    -s | --stack | -r | --resource | --region | --role | --url | -u | --access-key | --secret-key | -f | --credential-file) shift ;;
    esac
    shift
done
exec >>/var/log/cfn-init.log 2>&1
step() { echo "$(date -u +%FT%TZ) $*"; }
failed() { step "failed: $*"; exit 1; }
fetch() { if command -v curl >/dev/null; then curl -fsSL -o "$2" "$1"; else wget -q -O "$2" "$1"; fi; }
unpack() {
    mkdir -p "$2" && fetch "$1" /tmp/cfn-source || return 1
    case $1 in
    *.zip | */zipball/*) (cd "$2" && unzip -oq /tmp/cfn-source) ;;
    *) case $1 in */tarball/*) tar -xf /tmp/cfn-source -C "$2" --strip-components=1 ;; *) tar -xf /tmp/cfn-source -C "$2" ;; esac ;;
    esac
}
service_is() {
    if command -v systemctl >/dev/null; then
        case $2 in true) systemctl enable "$1" ;; false) systemctl disable "$1" ;; esac
        case $3 in true) systemctl restart "$1" ;; false) systemctl stop "$1" ;; esac
    else
        script=/etc/init.d/$1
        case $3 in true) "$script" restart || "$script" start ;; false) "$script" stop ;; esac
    fi
}
"""
_SIGNAL = r"""#!/bin/sh
# cfn-signal to the URL of a wait condition's handle, or for this server by its name in the template (CreationPolicy).
own=SE_URL
code=0 reason= data= id= url= resource=
while [ $# -gt 0 ]; do
    case $1 in
    -e | --exit-code) code=$2; shift ;;
    --exit-code=*) code=${1#*=} ;;
    -s | --success) case $2 in true) code=0 ;; *) code=1 ;; esac; shift ;;
    --success=*) case ${1#*=} in true) code=0 ;; *) code=1 ;; esac ;;
    -r | --reason) reason=$2; shift ;;
    -d | --data) data=$2; shift ;;
    -i | --id) id=$2; shift ;;
    --resource) resource=$2; shift ;;
    --resource=*) resource=${1#*=} ;;
    --stack | --region | --role | --url | --access-key | --secret-key | -f | --credential-file) shift ;;
    -*) ;;
    *) url=$1 ;;
    esac
    shift
done
[ -n "$url" ] || case /$resource/ in // | SE_NAMES) url=$own ;; esac
[ -n "$url" ] || { echo "cfn-signal: no URL of a handle, and nobody waits for a signal of ${resource:-this server}" >&2; exit 0; }
case $code in 0) status=SUCCESS ;; *) status=FAILURE ;; esac
text() { printf %s "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | tr '\n\t' '  '; }
told="\"Reason\": \"$(text "${reason:-exit code $code}")\", \"UniqueId\": \"$(text "${id:-$(hostname)}")\", \"Data\": \"$(text "$data")\""
body="{\"Status\": \"$status\", $told}"
command -v stack-signal >/dev/null && exec stack-signal "$url" "$status" "$data" "${reason:-exit code $code}" "${id:-$(hostname)}"
exec curl -sf --retry 5 -X PUT -H 'Content-Type:' --data-binary "$body" "$url"
"""


def vendor_script(init: Mapping[str, Any], path: str = "", url: str = "") -> str:
    """What puts the programs into the guest, before its user data runs (cloud-init: vendor data).

    ``url`` is where the server's own signals go, where somebody waits for them; ``path`` names it: a member of a group signals by the group's name, too.
    """
    programs = {
        "cfn-init": script_of(init),
        "cfn-signal": _SIGNAL.replace("SE_URL", url).replace("SE_NAMES", " | ".join(f"/{quote(part)}/" for part in path.split("/"))),
        "cfn-get-metadata": f"#!/bin/sh\ncat <<'SE_END'\n{json.dumps({'AWS::CloudFormation::Init': init}, indent=2)}\nSE_END\n",
    }
    lines = ["#!/bin/sh", f"mkdir -p {PLACE} /usr/local/bin"]
    for name, text in programs.items():
        lines += [f"cat >{PLACE}/{name} <<'SE_PROGRAM'", text.rstrip("\n"), "SE_PROGRAM", f"chmod 755 {PLACE}/{name}"]
        lines.append(f"ln -sf {PLACE}/{name} /usr/local/bin/{name}")
    return "\n".join([*lines, ""])


def script_of(init: Mapping[str, Any]) -> str:
    """The program cfn-init of one server."""
    configs = {name: value for name, value in init.items() if name != "configSets" and isinstance(value, dict)}
    lines = [_INIT]
    for name, config in configs.items():
        lines += [f"{_function(name)}() {{", f"step {quote('config ' + name)}", *_config(config), "}"]
    sets = {**({"default": ["config"]} if "config" in configs else {}), **(init.get("configSets") or {})}
    lines += ["for set in $(echo \"$sets\" | tr ',' ' '); do", "case $set in"]
    lines += [f"{quote(str(name))}) {'; '.join(_function(c) for c in _members(name, sets)) or ':'} ;;" for name in sets]
    return "\n".join([*lines, '*) failed "there is no config set $set" ;;', "esac", "done", "step done", ""])


def faults(init: Any) -> Iterator[str]:
    """What cfn-init would stumble over; values that are not known yet are let pass."""
    if not isinstance(init, dict):
        return
    sets: Any = init.get("configSets")
    known = set(init) - {"configSets"}
    for name in sets if isinstance(sets, dict) else ():
        yield from (f"the config set {name} names {c}, which is not there" for c in _members(name, sets) if c not in known)
    for name, config in init.items():
        if name != "configSets" and isinstance(config, dict):
            yield from (f"{name} has the section {s}, which cfn-init does not know" for s in config if s not in SECTIONS)
            yield from (f"{name}.packages.{kind} is for other systems" for kind in config.get("packages") or () if kind not in _INSTALL)


def _members(name: str, sets: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> list[str]:
    """Names of a set's configs, those of sets in it too."""
    if name in seen:
        return []
    listed = sets.get(name) or []
    found: list[str] = []
    for entry in listed if isinstance(listed, list) else [listed]:
        found += _members(str(entry.get("ConfigSet")), sets, seen | {name}) if isinstance(entry, dict) else [str(entry)]
    return found


def _function(config: str) -> str:
    return "config_" + re.sub(r"[^A-Za-z0-9]", lambda m: f"_{ord(m.group()):x}_", config)


def _config(config: Mapping[str, Any]) -> Iterator[str]:
    makers = {"packages": _packages, "groups": _groups, "users": _users, "sources": _sources, "files": _files, "commands": _commands, "services": _services}
    for section in SECTIONS:
        yield from makers[section](config.get(section) or {})
    yield ":"


def _do(what: str, command: str) -> str:
    return f"step {quote(what)}; {{ {command}; }} || failed {quote(what)}"


def _packages(packages: Mapping[str, Any]) -> Iterator[str]:
    for kind, named in packages.items():
        words = []
        for name, versions in named.items():
            version = next((v for v in (versions if isinstance(versions, list) else [versions]) if v), "")
            words.append(quote(str(version)) if kind == "rpm" else quote(name) + (f"{_VERSION[kind]}{quote(str(version))}" if version else ""))
        yield _do(f"packages of {kind}", f"{_INSTALL[kind]} {' '.join(words)}")


def _groups(groups: Mapping[str, Any]) -> Iterator[str]:
    for name, how in groups.items():
        gid = f"-g {quote(str(how['gid']))} " if how and how.get("gid") else ""
        yield _do(f"group {name}", f"grep -q ^{quote(name)}: /etc/group || groupadd {gid}{quote(name)} || addgroup {gid}{quote(name)}")


def _users(users: Mapping[str, Any]) -> Iterator[str]:
    for name, how in users.items():
        home = how.get("homeDir")
        options = (f"-u {quote(str(how['uid']))} " if how.get("uid") else "") + (f"-d {quote(home)} " if home else "")
        groups = ",".join(how.get("groups") or ())
        more = f"-G {quote(groups)} " if groups else ""
        yield _do(f"user {name}", f"id {quote(name)} || useradd -s /sbin/nologin {options}{more}{quote(name)}")


def _sources(sources: Mapping[str, Any]) -> Iterator[str]:
    for folder, url in sources.items():
        yield _do(f"source {url}", f"unpack {quote(str(url))} {quote(folder)}")


def _files(files: Mapping[str, Any]) -> Iterator[str]:
    for path, how in files.items():
        place, mode = quote(path), str(how.get("mode") or "")
        yield f"mkdir -p {quote(path.rpartition('/')[0] or '/')}"
        if mode.startswith("120"):
            yield _do(f"link {path}", f"ln -sfn {quote(str(how.get('content', '')))} {place}")
            continue
        yield _do(f"file {path}", f"fetch {quote(str(how['source']))} {place}" if how.get("source") else _written(how, place))
        if mode:
            yield f"chmod {quote(mode[-4:])} {place}"
        if how.get("owner") or how.get("group"):
            yield f"chown {quote(str(how.get('owner') or 'root'))}:{quote(str(how.get('group') or 'root'))} {place}"


def _written(how: Mapping[str, Any], place: str) -> str:
    content = how.get("content", "")
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    for key, value in (how.get("context") or {}).items():
        text = re.sub(r"\{\{\s*" + re.escape(key) + r"\s*\}\}", lambda _m, v=value: str(v), text)  # type: ignore[misc]
    return f"printf %s {quote(text)}{' | base64 -d' if how.get('encoding') == 'base64' else ''} >{place}"


def _commands(commands: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(commands):
        how = commands[name]
        command = how.get("command", ":")
        text = " ".join(quote(str(w)) for w in command) if isinstance(command, list) else str(command)
        folder = f"cd {quote(how['cwd'])} && " if how.get("cwd") else ""
        settings = "".join(f"export {k}={quote(str(v))}; " for k, v in (how.get("env") or {}).items())
        inner = f"( {settings}{folder}sh -c {quote(text)} )"
        forgiving = str(how.get("ignoreErrors", "false")).lower() == "true"
        line = f"{inner} || step {quote('ignored: ' + name)}" if forgiving else inner
        test = f"( {settings}{folder}sh -c {quote(str(how['test']))} )" if how.get("test") else ""
        yield f"if {test or 'true'}; then {_do(f'command {name}', line)}; fi"


def _services(services: Mapping[str, Any]) -> Iterator[str]:
    for kind in ("sysvinit", "systemd"):
        for name, how in (services.get(kind) or {}).items():
            words = [str(how.get(k, "")).lower() for k in ("enabled", "ensureRunning")]
            yield _do(f"service {name}", f"service_is {quote(name)} {quote(words[0])} {quote(words[1])}")
