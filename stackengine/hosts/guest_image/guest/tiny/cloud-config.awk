# FILE: a #cloud-config; OUT: a folder that gets one entry for each top-level key that this guest knows:
#   hostname, keys, bootcmd, runcmd (shell scripts), files/NNN.{path,mode,owner,encoding,append,body}, phone/{url,post};
# and, always: ignored (keys that are not done here). A wrong document prints what is wrong and where.

BEGIN {
    if ((problem = yaml(FILE)) != "") { print problem; exit 1 }
    if (TYPE[""] != "map" && TYPE[""] != "null") { print "line 1: a map of keys is expected"; exit 1 }
    printf "" >(OUT "/ignored")
    for (i = 1; i <= SIZE[""]; i++) section(KEY["", i])
    exit (bad ? 1 : 0)
}

function text(path) { return TYPE[path] == "plain" || TYPE[path] == "str" ? TEXT[path] : "" }
function yes(path) { return tolower(text(path)) ~ /^(true|yes|on|y)$/ }
function wrong(what) { print what; bad = 1 }

function section(key) {
    if (key == "hostname" || key == "fqdn") names()
    else if (key == "ssh_authorized_keys") keys(key)
    else if (key == "users") users()
    else if (key == "bootcmd" || key == "runcmd") commands(key)
    else if (key == "write_files") files()
    else if (key == "phone_home") phone()
    else if (key !~ /^(merge_how|merge_type|final_message|manage_etc_hosts|preserve_hostname|disable_root|output|chpasswd|password|ssh_pwauth)$/) print key >(OUT "/ignored")
}

function names() { if (text("fqdn") != "") print text("fqdn") >(OUT "/hostname"); else print text("hostname") >(OUT "/hostname"); close(OUT "/hostname") }

function keys(path,    i) {
    if (TYPE[path] == "seq") { for (i = 1; i <= SIZE[path]; i++) keys(path SEP i) }
    else if (text(path) != "") printf "%s%s", text(path), (text(path) ~ /\n$/ ? "" : "\n") >(OUT "/keys")
}

# The only account is root; the keys of others open it too.
function users(    i, path, name) {
    for (i = 1; i <= SIZE["users"]; i++) {
        path = "users" SEP i; name = text(path SEP "name")
        if (TYPE[path] != "map") continue
        keys(path SEP "ssh_authorized_keys"); keys(path SEP "ssh-authorized-keys")
        if (name != "" && name != "root") print "users." name >(OUT "/ignored")
    }
}

# Commands as cloud-init writes them: a text as it is, a list with every word quoted.
function commands(key,    i, j, item, line) {
    print "#!/bin/sh" >(OUT "/" key)
    if (TYPE[key] != "seq") {
        if (text(key) != "") print text(key) >(OUT "/" key)
        else if (TYPE[key] != "null") wrong(key ": a list of commands is expected")
        return
    }
    for (i = 1; i <= SIZE[key]; i++) {
        item = key SEP i
        if (TYPE[item] == "seq") {
            line = ""
            for (j = 1; j <= SIZE[item]; j++) line = line (j > 1 ? " " : "") shell(text(item SEP j))
            print line >(OUT "/" key)
        }
        else if (TYPE[item] == "map") wrong(key ": command " i " is a map; put it in quotes (a colon and a space make a map)")
        else print text(item) >(OUT "/" key)
    }
}

function shell(s) { gsub(/'/, "'\\''", s); return "'" s "'" }

function files(    i, path, name, owner) {
    if (TYPE["write_files"] != "seq") { if (TYPE["write_files"] != "null") wrong("write_files: a list is expected"); return }
    if (system("mkdir -p " OUT "/files")) return
    for (i = 1; i <= SIZE["write_files"]; i++) {
        path = "write_files" SEP i; name = sprintf("%s/files/%03d.", OUT, i)
        if (text(path SEP "path") == "") { wrong("write_files: entry " i " has no path"); continue }
        if (TYPE[path SEP "source"] == "map") wrong("write_files: source is not read here")
        one(name "path", text(path SEP "path"))
        one(name "mode", mode(path SEP "permissions"))
        one(name "owner", text(path SEP "owner"))
        one(name "encoding", TAG[path SEP "content"] == "!!binary" ? "b64" : tolower(text(path SEP "encoding")))
        one(name "append", yes(path SEP "append") ? "yes" : "")
        one(name "body", text(path SEP "content"))
    }
}

function one(name, s) { printf "%s", s >name; close(name) }

# A mode in quotes is octal; a bare number is what YAML makes of it (0644 is octal, 420 is the same in decimal).
function mode(path,    s) {
    s = text(path)
    if (s == "") return "0644"
    if (TYPE[path] == "plain" && s ~ /^[1-9][0-9]*$/) return sprintf("%o", s)
    sub(/^0o/, "", s)
    if (s !~ /^[0-7]+$/) { wrong("write_files: wrong permissions " s); return "0644" }
    return s
}

function phone(    i, list) {
    if (text("phone_home" SEP "url") == "") { wrong("phone_home: url is missing"); return }
    if (system("mkdir -p " OUT "/phone")) return
    one(OUT "/phone/url", text("phone_home" SEP "url"))
    list = text("phone_home" SEP "post")
    for (i = 1; i <= SIZE["phone_home" SEP "post"]; i++) list = list (i > 1 ? " " : "") text("phone_home" SEP "post" SEP i)
    one(OUT "/phone/post", list == "" || list == "all" ? "instance_id hostname fqdn pub_key_ed25519" : list)
}
