# What the parts of the user-data ask for. Early: names, keys, bootcmd, files. Final: scripts and runcmd, then phone_home.
CONFIG=$STATE/config
LOG=/var/log/cloud-init-output.log

apply_early() {
    mkdir -p $CONFIG
    for part in $PARTS/*; do
        case $part in
        *.config) merge_config "$part" ;;
        *.boothook) run_logged "$part" || problem "boothook ${part##*/} failed" ;;
        esac
    done
    [ -s $CONFIG/hostname ] && set_hostname "$(cat $CONFIG/hostname)"
    [ -s $CONFIG/keys ] && cat $CONFIG/keys >>/root/.ssh/authorized_keys
    chmod 600 /root/.ssh/authorized_keys 2>/dev/null
    [ -s $CONFIG/ignored ] && say "cloud-config, not done by this image: $(tr '\n' ' ' <$CONFIG/ignored)"
    [ -e $CONFIG/bootcmd ] && { run_logged $CONFIG/bootcmd || problem "bootcmd failed"; }
    [ -d $CONFIG/files ] && write_files
}

# A key of a later part replaces the same key of an earlier one, as cloud-init does by default.
merge_config() {
    rm -rf $CONFIG.new && mkdir $CONFIG.new
    awk -v FILE="$1" -v OUT=$CONFIG.new -f $LIB/yaml.awk -f $LIB/cloud-config.awk </dev/null >$STATE/wrong ||
        while read -r line; do problem "cloud-config: $line"; done <$STATE/wrong
    for entry in $CONFIG.new/*; do
        rm -rf "$CONFIG/${entry##*/}"
        mv "$entry" $CONFIG/
    done
}

write_files() {
    for entry in $CONFIG/files/*.path; do
        base=${entry%.path}
        path=$(cat "$entry")
        mkdir -p "${path%/*}/"
        if [ -s "$base.append" ]; then write_body "$base" >>"$path"; else write_body "$base" >"$path"; fi || problem "write_files: $path cannot be written"
        chmod "$(cat "$base.mode")" "$path"
        [ -s "$base.owner" ] && { chown "$(cat "$base.owner")" "$path" 2>/dev/null || say "write_files: $path stays with root"; }
    done
}

write_body() {
    case $(cat "$1.encoding") in
    b64 | base64) base64 -d <"$1.body" ;;
    gz | gzip | gz+b64 | gzip+b64 | gz+base64 | gzip+base64) base64 -d <"$1.body" | zcat ;;
    *) cat "$1.body" ;;
    esac
}

start_ssh() {
    mkdir -p /etc/dropbear /etc/ssh
    key=/etc/dropbear/dropbear_ed25519_host_key
    [ -e $key ] || dropbearkey -t ed25519 -f $key >/dev/null 2>&1
    dropbearkey -y -f $key | grep '^ssh-' | sed "s/[^ ]*$/root@$(hostname)/" >/etc/ssh/ssh_host_ed25519_key.pub
    dropbear -s -r $key -p 22
    read -r public </etc/ssh/ssh_host_ed25519_key.pub
    # where the engine learns the key: these lines, or the file through the agent; the first form is that of cloud-init
    printf '%s\n' "-----BEGIN SSH HOST KEY KEYS-----" "$public" "-----END SSH HOST KEY KEYS-----" "ssh-host-key: $public" >$CONSOLE
    say "ssh server"
}

# Output goes to the log and to the console, so that a failing script can be seen from the host. What a script leaves running may keep the pipe.
run_logged() {
    chmod 700 "$1"
    mkfifo /run/output.$$ 2>/dev/null
    tee -a $LOG <"/run/output.$$" >$CONSOLE &
    INSTANCE_ID=$(cat $STATE/instance-id 2>/dev/null) "$1" >"/run/output.$$" 2>&1 </dev/null
}

apply_final() {
    script=0
    for part in $PARTS/*.script; do
        [ -e "$part" ] || continue
        name=$(cat "${part%.script}.name" 2>/dev/null)
        script=$((script + 1))
        cp "$part" "$INSTANCE/scripts/${name:-$(printf 'part-%03d' $script)}"
    done
    [ -e $CONFIG/runcmd ] && cp $CONFIG/runcmd $INSTANCE/scripts/runcmd
    for file in "$INSTANCE"/scripts/*; do
        [ -e "$file" ] || continue
        if run_logged "$file"; then say "${file##*/} done"; else problem "${file##*/} failed with exit code $?"; fi
    done
    [ -d $CONFIG/phone ] && phone_home
    write_result
}

phone_home() {
    url=$(sed "s/\$INSTANCE_ID/$(cat $STATE/instance-id 2>/dev/null)/" $CONFIG/phone/url)
    data=
    for field in $(cat $CONFIG/phone/post); do
        case $field in
        instance_id) value=$(cat $STATE/instance-id 2>/dev/null) ;;
        hostname) value=$(hostname) ;;
        fqdn) value=$(hostname -f 2>/dev/null || hostname) ;;
        pub_key_ed25519) value=$(cat /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null) ;;
        *) continue ;;
        esac
        data="$data${data:+&}$field=$(printf %s "$value" | url_quote)"
    done
    for attempt in 1 2 3 4 5; do
        timeout 10 wget -q -O /dev/null --post-data "$data" "$url" && { say "phoned home"; return; }
        sleep 1
    done
    problem "phone_home: no answer from $url"
}

url_quote() { od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g'; }

# As cloud-init says how it went: result.json when all is over, status.json for `cloud-init status`.
write_result() {
    errors=$([ -s $STATE/problems ] && tr -d '\\"' <$STATE/problems | awk '{ printf "%s\"%s\"", (NR > 1 ? ", " : ""), $0 }')
    state=done
    [ -n "$errors" ] && state=error
    printf '{"v1": {"datasource": "%s", "stage": null, "status": "%s", "errors": [%s]}}\n' "$DATASOURCE" $state "$errors" >$STATE/status.json
    printf '{"v1": {"datasource": "%s", "errors": [%s]}}\n' "$DATASOURCE" "$errors" >$STATE/result.json.new
    mv $STATE/result.json.new $STATE/result.json
    : >$INSTANCE/boot-finished
    say "cloud-init $state"
}
