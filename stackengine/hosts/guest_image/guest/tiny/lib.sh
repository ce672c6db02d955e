# What the scripts of this guest share.
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
LIB=${LIB:-/lib/stack}
CONSOLE=${CONSOLE:-/dev/console}
STATE=${STATE:-/run/cloud-init}
INSTANCE=${INSTANCE:-/var/lib/cloud/instance}
SEED=${SEED:-/run/seed}

# One line on the console with the seconds since the kernel started.
say() { read -r up _ </proc/uptime; echo "tiny[$up] $*" >"$CONSOLE"; }

# A problem of the user-data: said on the console and kept for result.json.
problem() { say "$*"; echo "$*" >>$STATE/problems; }

# Virtio channels by name, as udev makes them; disks by the serial that the host gave them.
name_devices() {
    for port in /sys/class/virtio-ports/*/name; do
        [ -e "$port" ] || continue
        mkdir -p /dev/virtio-ports
        read -r name <"$port"
        device=${port%/name}
        [ -n "$name" ] && ln -sf "../${device##*/}" "/dev/virtio-ports/$name"
    done
    for serial in /sys/class/block/vd*/serial; do
        [ -e "$serial" ] || continue
        name=; read -r name <"$serial"
        device=${serial%/serial}
        [ -n "$name" ] && mkdir -p /dev/disk/by-id && ln -sf "../../${device##*/}" "/dev/disk/by-id/virtio-$name"
    done
}

# The guest agent, as soon as the host has given us its channel.
start_agent() {
    port=/dev/virtio-ports/org.qemu.guest_agent.0
    [ -e $port ] && [ ! -e /run/qga.pid ] && qemu-ga -d -m virtio-serial -p $port -t /run -f /run/qga.pid >/dev/null 2>&1
}

# DHCP on one interface; stays to renew the lease. With -b it goes on asking in the background when nobody answers.
start_dhcp() {
    ip link set "$1" up
    udhcpc -i "$1" -s /lib/stack/dhcp -x hostname:"$(hostname)" -O staticroutes -t 20 -T 1 -A 2 -b -p "/run/udhcpc.$1.pid" >/dev/null 2>&1
}
