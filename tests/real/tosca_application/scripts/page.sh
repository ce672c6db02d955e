#!/bin/sh
. "$(dirname "$0")/common.sh"
note "$served"
sed "s/GREETING/$greeting/; s/NOTES/$(cat /srv/notes.txt)/" "$frame" >/srv/index.html
md5sum </srv/index.html | cut -d" " -f1 >"$heat_outputs_path.sum"
