#!/bin/sh
# Runs a program inside a host, counted among its processes. usage: enter-host.sh LEADER CGROUP... -- PROGRAM...
set -e
leader=$1
shift
while [ "$1" != -- ]; do
  echo 0 >"$1/cgroup.procs"
  shift
done
shift
exec nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- "$@"
