#!/bin/sh
# Give this machine its id, once: mint.sh ROOT ID NOW_MS. Prints the id that holds.
# A hard link is made only where no name stands yet, so two callers at the same time agree on one id. A file that is
# empty lost what it held with the machine's power.
set -eu
root=$1
case $root in "~/"*) root=$HOME/${root#"~/"} ;; esac
umask 077
mkdir -p "$root"
if [ ! -s "$root/node.json" ]; then
  printf '{"id":"%s","mintedAt":%s}\n' "$2" "$3" > "$root/node.json.$2"
  sync -- "$root/node.json.$2"
  ln "$root/node.json.$2" "$root/node.json" 2>/dev/null || [ -s "$root/node.json" ] ||
    mv -f "$root/node.json.$2" "$root/node.json"
  rm -f "$root/node.json.$2"
fi
cat "$root/node.json"
