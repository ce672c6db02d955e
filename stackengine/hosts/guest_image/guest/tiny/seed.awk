# META: meta-data, NET: network-config (version 2), or Nova's meta_data.json and network_data.json. Writes to OUT: hostname, instance-id, keys, network, seed-problems.

BEGIN {
    printf "" >(OUT "/seed-problems"); printf "" >(OUT "/network")
    meta()
    network()
    exit
}

function text(path) { return TYPE[path] == "plain" || TYPE[path] == "str" ? TEXT[path] : "" }
function yes(path) { return tolower(text(path)) ~ /^(true|yes|on|y)$/ }
function trouble(what) { print what >(OUT "/seed-problems") }

function meta(    problem, name) {
    if ((problem = yaml(META)) != "") { trouble("meta-data: " problem); return }
    name = text("local-hostname"); if (name == "") name = text("hostname")
    if (name != "") print name >(OUT "/hostname")
    if (text("instance-id") != "") print text("instance-id") >(OUT "/instance-id")
    else if (text("uuid") != "") print text("uuid") >(OUT "/instance-id")
    printf "" >(OUT "/keys")
    keys("public-keys"); keys("public_keys")
}

# A key, a list of keys, or a map of names to any of them.
function keys(path,    i) {
    if (text(path) ~ /^(ssh-|ecdsa-|sk-)/) { printf "%s%s", text(path), (text(path) ~ /\n$/ ? "" : "\n") >(OUT "/keys"); return }
    for (i = 1; i <= SIZE[path]; i++) keys(child(path, TYPE[path] == "map" ? KEY[path, i] : i))
}

function network(    problem, root, version, list, i) {
    if ((getline problem <NET) < 0) return
    close(NET)
    if ((problem = yaml(NET)) != "") { trouble("network-config: " problem); return }
    if (SIZE["links"] > 0) { nova(); return }
    if (TYPE["network"] == "map") root = "network"
    version = text(child(root, "version"))
    if (version != "2") { if (TYPE[root] != "null") trouble("network-config: version " version " is not read, only 2"); return }
    list = child(root, "ethernets")
    for (i = 1; i <= SIZE[list]; i++) ethernet(child(list, KEY[list, i]), KEY[list, i])
    for (i = 1; i <= SIZE[root]; i++) if (KEY[root, i] !~ /^(version|renderer|ethernets)$/) trouble("network-config: " KEY[root, i] " is not done")
}

# One interface: a line "nic MAC NAME", what is wanted of it, and "end". MAC or NAME is "-" when it does not matter.
function ethernet(path, id,    mac, name, i, r) {
    mac = tolower(text(path SEP "match" SEP "macaddress")); name = text(path SEP "match" SEP "name")
    if (mac == "" && name == "") name = id
    put_line("nic " (mac == "" ? "-" : mac) " " (name == "" ? "-" : name))
    if (text(path SEP "set-name") != "") put_line("name " text(path SEP "set-name"))
    if (text(path SEP "mtu") != "") put_line("mtu " text(path SEP "mtu"))
    for (i = 1; i <= SIZE[path SEP "addresses"]; i++) {
        r = path SEP "addresses" SEP i
        put_line("address " (TYPE[r] == "map" ? KEY[r, 1] : text(r)))
    }
    if (text(path SEP "gateway4") != "") put_line("route default " text(path SEP "gateway4") " 0")
    if (text(path SEP "gateway6") != "") put_line("route6 default " text(path SEP "gateway6") " 0")
    for (i = 1; i <= SIZE[path SEP "routes"]; i++) {
        r = path SEP "routes" SEP i
        put_line((text(r SEP "via") ~ /:/ ? "route6 " : "route ") destination(text(r SEP "to")) " " text(r SEP "via") " " (text(r SEP "metric") == "" ? 0 : text(r SEP "metric")))
    }
    r = path SEP "nameservers"
    for (i = 1; i <= SIZE[r SEP "addresses"]; i++) put_line("dns " text(r SEP "addresses" SEP i))
    for (i = 1; i <= SIZE[r SEP "search"]; i++) put_line("search " text(r SEP "search" SEP i))
    if (yes(path SEP "dhcp4")) put_line("dhcp")
    put_line("end")
}

# Nova's links and what stands on them.
function nova(    i, j, l, n) {
    for (i = 1; i <= SIZE["links"]; i++) {
        l = "links" SEP i
        put_line("nic " tolower(text(l SEP "ethernet_mac_address")) " -")
        for (j = 1; j <= SIZE["networks"]; j++) {
            n = "networks" SEP j
            if (text(n SEP "link") == text(l SEP "id")) nova_network(n)
        }
        for (j = 1; j <= SIZE["services"]; j++) if (text("services" SEP j SEP "type") == "dns") put_line("dns " text("services" SEP j SEP "address"))
        put_line("end")
    }
}

function nova_network(n,    k, r, six) {
    if (text(n SEP "type") ~ /_dhcp$/) { put_line("dhcp"); return }
    put_line("address " text(n SEP "ip_address") "/" bits(text(n SEP "netmask")))
    for (k = 1; k <= SIZE[n SEP "routes"]; k++) {
        r = n SEP "routes" SEP k
        six = text(r SEP "gateway") ~ /:/
        put_line((six ? "route6 " : "route ") destination(text(r SEP "network") "/" bits(text(r SEP "netmask"))) " " text(r SEP "gateway") (six ? "" : " 0"))
    }
}

# The length of a netmask, in either family; a length stays as it is.
function bits(mask,    i, c, count, n, parts, v) {
    if (mask ~ /:/) {
        for (i = 1; i <= length(mask); i++) { c = tolower(substr(mask, i, 1)); count += c == "f" ? 4 : c == "e" ? 3 : c == "c" ? 2 : c == "8" ? 1 : 0 }
        return count + 0
    }
    if (mask !~ /\./) return mask
    n = split(mask, parts, ".")
    for (i = 1; i <= n; i++) for (v = parts[i] + 0; v > 0; v = (v * 2) % 256) count++
    return count + 0
}

function destination(to) { return to == "0.0.0.0/0" || to == "::/0" ? "default" : to }
function put_line(line) { print line >(OUT "/network") }
