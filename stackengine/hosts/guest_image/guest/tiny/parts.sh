# User-data and vendor-data, taken apart: $STATE/parts/NNN.config, NNN.script or NNN.boothook, in their order.
PARTS=$STATE/parts
number=0

split_user_data() {
    mkdir -p $PARTS $STATE/split
    for name in vendor-data user-data; do
        [ -s $SEED/$name ] || continue
        cp $SEED/$name $INSTANCE/$name.txt && chmod 600 $INSTANCE/$name.txt
        add_part $INSTANCE/$name.txt "" "$name"
    done
}

# One part: file, MIME type or nothing, name for messages and, for scripts, of the file.
add_part() {
    case $2 in
    multipart/*) split_part "$1" "$4"; return ;;
    text/x-shellscript*) keep_part "$1" script "$3"; return ;;
    text/cloud-boothook) keep_part "$1" boothook "$3"; return ;;
    text/cloud-config) keep_part "$1" config "$3"; return ;;
    text/cloud-config-archive | text/jinja2 | text/x-include* | text/part-handler) problem "$3: parts of type $2 are not read here"; return ;;
    esac
    if [ "$(dd if="$1" bs=2 count=1 2>/dev/null | od -An -tx1 | tr -d ' ')" = 1f8b ]; then
        if zcat <"$1" >"$1.plain"; then add_part "$1.plain" "" "$3"; else problem "$3: damaged gzip data"; fi
        return
    fi
    IFS= read -r first <"$1"
    case $first in
    '#!'*) keep_part "$1" script "$3" ;;
    '#cloud-config-archive'*) problem "$3: #cloud-config-archive is not read here" ;;
    '#cloud-config'*) keep_part "$1" config "$3" ;;
    '#cloud-boothook'*) keep_part "$1" boothook "$3" ;;
    [Cc]ontent-[Tt]ype:* | MIME-Version:* | Mime-Version:* | From\ *) split_part "$1" "" ;;
    *) problem "$3: not user-data that is known here (it starts with '$(echo "$first" | cut -c1-40)')" ;;
    esac
}

# A multipart message: file, and its boundary when that stood in the header of the part that it was.
split_part() {
    folder=$STATE/split/$((number += 1))
    mkdir -p "$folder"
    awk -v FILE="$1" -v B="$2" -v OUT="$folder" -f $LIB/mime.awk </dev/null
    for head in "$folder"/*.head; do
        [ -e "$head" ] || { problem "a multipart message without parts"; break; }
        body=${head%.head}.body
        type=$(sed -n 's/^content-type: *\([^; ]*\).*/\1/p' "$head" | tr A-Z a-z)
        name=$(sed -n 's/^content-disposition:.*filename="\{0,1\}\([A-Za-z0-9._-]*\).*/\1/p' "$head")
        bound=$(sed -n 's/^content-type:.*[bB][oO][uU][nN][dD][aA][rR][yY]="\{0,1\}\([^";]*\).*/\1/p' "$head")
        if grep -qi '^content-transfer-encoding: *base64' "$head"; then
            base64 -d <"$body" >"$body.raw" && body=$body.raw
        fi
        add_part "$body" "$type" "$name" "$bound"
    done
}

# Keep a part as NNN.KIND; a script also gets the name under which it runs.
keep_part() {
    number=$((number + 1))
    file=$PARTS/$(printf %03d $number)
    cp "$1" "$file.$2"
    case $3 in '' | user-data | vendor-data) ;; *) echo "$3" >"$file.name" ;; esac
}
