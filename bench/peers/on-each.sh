#!/bin/sh
# Run FOLDER/NODE.sh on every node at the same time over ssh: on-each.sh FOLDER NODE...
folder=$1
shift
pids=''
for node; do
  ssh "$node" sh -s <"$folder/$node.sh" &
  pids="$pids $!"
done
failed=0
for pid in $pids; do wait "$pid" || failed=1; done
exit $failed
