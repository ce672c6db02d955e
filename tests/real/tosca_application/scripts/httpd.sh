#!/bin/sh
. "$(dirname "$0")/common.sh"
note "$port"
mkdir -p /srv
httpd -p "$port" -h /srv
echo "http://$address:$port" >"$heat_outputs_path.where"
