# Runs in the guest as /bin/sh -c, once per state folder $SE_RUN: started again (the engine or the guest restarted), it finds what is there.
# stdin: the script. Arguments: the interpreter, if one was named. Prints: status, stdout, stderr and outputs, contents as base64.
umask 077
mkdir -p "$SE_RUN" || exit 70
cd "$SE_RUN" || exit 70
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
running() { [ -f pid ] && [ "$(sed -n 2p pid)" = "$boot" ] && kill -0 "$(sed -n 1p pid)" 2>/dev/null; }
if [ ! -f status ] && ! running; then
  rm -f outputs.*
  cat >script && chmod 700 script || exit 70
  (
    export heat_outputs_path="$SE_RUN/outputs"
    "$@" ./script >stdout 2>stderr </dev/null
    echo $? >status.new
    mv status.new status
  ) &
  printf '%s\n%s\n' $! "$boot" >pid
  [ -n "$SE_NOWAIT" ] && exit 0
  wait $!
fi
while [ ! -f status ]; do
  running || { echo 255 >status; break; }
  sleep 1
done
echo "status $(cat status)"
for name in stdout stderr; do
  [ -f $name ] && echo "$name $(tail -c 65536 $name | base64 | tr -d '\n')"
done
for file in outputs.*; do
  [ -f "$file" ] && echo "output ${file#outputs.} $(base64 <"$file" | tr -d '\n')"
done
[ "$(cat status)" = 0 ] || mv status "status.failed"
# older runs of this deployment are over
for other in ../*; do
  [ "$(cd "$other" 2>/dev/null && pwd)" = "$SE_RUN" ] || rm -rf "$other"
done
exit 0
