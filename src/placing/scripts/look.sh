#!/bin/sh
# Say what of windlass stands on this node; changes nothing: look.sh ROOT UNITS CERTIFICATES FILE...
# UNITS and CERTIFICATES are lists, separated by commas; paths may begin with ~/. The answer is lines `WORD REST`, hashes as
# sha256sum prints them, and last the certificates as they are; what is not there has no line. Few processes, since an emulated node pays 50 ms for each.
set -u
root=$1 units=$2 certificates=$3
shift 3
case $root in "~/"*) root=$HOME/${root#"~/"} ;; esac
for path; do
  shift
  case $path in "~/"*) path=$HOME/${path#"~/"} ;; esac
  set -- "$@" "$path"
done
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"

echo "home $HOME"
echo "root $root"
echo "machine $(uname -m)"
echo "libc $(getconf GNU_LIBC_VERSION 2>/dev/null)"
if [ -r "$root/node.json" ]; then
  read -r identity < "$root/node.json"
  echo "identity $identity"
fi
stat -f -c 'room %a %S' -- "$root/home" 2>/dev/null
[ ! -e "$root/workers/activating" ] || echo "activating yes"
[ ! -h "$root/workers/current" ] || echo "payload $(readlink "$root/workers/current")"
sha256sum -- "$@" 2>/dev/null
stat -c 'mode %a %n' -- "$@" 2>/dev/null
set -f
IFS=",
"
read -r uptime _ < /proc/uptime
echo "uptime $uptime"
systemctl --user show -p Id -p ActiveState -p ActiveEnterTimestampMonotonic $units 2>/dev/null
for name in $certificates; do
  [ ! -s "$root$name" ] || { echo "certificate $name"; cat "$root$name"; }
done
exit 0
