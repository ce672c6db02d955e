# The network: what network-config says of an interface (matched by MAC or name), DHCP on every other one.

WAITING=

configure_network() {
    for interface in /sys/class/net/*; do
        interface=${interface##*/}
        case $interface in lo | bond* | sit* | dummy*) continue ;; esac
        read -r mac <"/sys/class/net/$interface/address"
        configure_interface "$interface" "$mac"
    done
}

configure_interface() {
    found= ours= dhcp=
    while read -r word a b c; do
        case $word in
        nic)
            ours=
            case $a in
            "$2") ours=1 ;;
            -) case $1 in $b) ours=1 ;; esac ;;
            esac
            [ "$ours" ] && { found=1; ip link set "$1" up; }
            continue ;;
        esac
        [ "$ours" ] || continue
        case $word in
        name) ip link set "$1" down; ip link set "$1" name "$a" && set -- "$a" "$2"; ip link set "$1" up ;;
        mtu) ip link set "$1" mtu "$a" ;;
        address) ip addr add "$a" dev "$1" && say "$1 static $a" ;;
        route) ip route add "$a" via "$b" dev "$1" metric "$c" ;;
        route6) ip -6 route add "$a" via "$b" dev "$1" ;;
        dns) echo "nameserver $a" >>"/run/resolv.$1" ;;
        search) echo "search $a" >>"/run/resolv.$1" ;;
        dhcp) dhcp=1 ;;
        esac
    done <$STATE/network
    [ -e "/run/resolv.$1" ] && cat /run/resolv.* >/etc/resolv.conf
    if [ -z "$found" ] || [ "$dhcp" ]; then
        start_dhcp "$1" &
        WAITING="$WAITING $!"
    fi
}

# Until every interface has its lease, or has gone on asking in the background.
wait_for_network() {
    [ -n "$WAITING" ] && wait $WAITING
    say "network $(ip -o addr show scope global | awk '{printf "%s%s=%s", (NR > 1 ? " " : ""), $2, $4}')"
}
