# The NoCloud seed: a disk or CD-ROM labelled cidata with meta-data, user-data and, where wanted, vendor-data and network-config. Or OpenStack's
# config drive, labelled config-2, whose files are then seen under NoCloud's names.

# Mount it at $SEED; the slower buses are looked at only when no virtio disk is it.
find_seed() {
    mkdir -p $SEED
    if [ -e /seed.tar ]; then # a container has no disks: its host puts the seed there
        tar -xf /seed.tar -C $SEED
        DATASOURCE="DataSourceNoCloud [seed=/seed.tar]"
        return
    fi
    for attempt in 1 2 3 4 5; do
        for label in cidata CIDATA config-2 CONFIG-2; do
            device=$(findfs LABEL=$label 2>/dev/null) || continue
            for kind in iso9660 vfat ext4; do
                if mount -t $kind -o ro "$device" $SEED 2>/dev/null; then
                    DATASOURCE="DataSourceNoCloud [seed=$device]"
                    [ -d $SEED/openstack/latest ] && use_config_drive "$SEED/openstack/latest"
                    say "seed $device"
                    return
                fi
            done
        done
        case $attempt in
        1) modprobe -a ahci ata_piix virtio_scsi sr_mod sd_mod vfat nls_ascii nls_cp437 nls_utf8 2>/dev/null ;;
        esac
        usleep 200000
    done
    DATASOURCE=DataSourceNone
    say "no seed"
}

use_config_drive() {
    DATASOURCE="DataSourceConfigDrive [net,ver=2][source=$device]"
    SEED=$STATE/drive
    mkdir -p $SEED
    for pair in meta_data.json:meta-data network_data.json:network-config user_data:user-data; do
        [ -e "$1/${pair%:*}" ] && ln -sf "$1/${pair%:*}" "$SEED/${pair#*:}"
    done
}

# Read meta-data and network-config into files below $STATE.
read_seed() {
    awk -v META=$SEED/meta-data -v NET=$SEED/network-config -v OUT=$STATE -f $LIB/yaml.awk -f $LIB/seed.awk </dev/null
    while read -r line; do problem "$line"; done <$STATE/seed-problems
    [ -s $STATE/keys ] && cat $STATE/keys >>/root/.ssh/authorized_keys
}

set_hostname() {
    name=${1:-tiny}
    hostname "${name%%.*}"
    echo "${name%%.*}" >/etc/hostname
    case $name in *.*) name="$name ${name%%.*}" ;; esac
    printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost ip6-localhost\n' "$name" >/etc/hosts
}
