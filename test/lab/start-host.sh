#!/bin/sh
# Boots a host: joins the cgroups made for it, enters the lab's network namespace and becomes systemd-nspawn.
# usage: start-host.sh NETNS ROOT HOST MANAGEMENT-LINE CGROUP...
# --keep-unit puts the guest below nspawn's own cgroup, hence joining first. `ip netns exec` would hide all cgroups.
set -e
netns=$1 root=$2 host=$3 line=$4
shift 4
for cgroup; do
  echo 0 >"$cgroup/cgroup.procs"
done
# Without this the guest gets a hybrid hierarchy, in which units cannot be frozen.
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec nsenter "--net=$netns" systemd-nspawn --quiet --directory="$root" --boot --network-bridge=br0 \
  ${line:+"--network-veth-extra=$line"} --machine="$host" --hostname="$host" --register=no --keep-unit \
  --capability=all --resolv-conf=off --console=pipe
