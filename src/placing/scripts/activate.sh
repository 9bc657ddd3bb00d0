#!/bin/sh
# Make a placed version the current one and (re)start units: activate.sh ROOT VERSION IS_LAST UNIT...
# ROOT is absolute. IS_LAST is yes where no other units of this node are to be started after these for that version.
# Lingering is set so that units outlive this ssh session; a file beside the units says that it was set by us, also where
# somebody has removed ROOT.
set -eu
root=$1 version=$2 is_last=$3
shift 3
umask 077
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
ln -sfn "$version" "$root/workers/current.new"
mv -T "$root/workers/current.new" "$root/workers/current"
if [ "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)" != yes ]; then
  if ! loginctl enable-linger; then
    echo "lingering cannot be switched on; as root: loginctl enable-linger $(id -un)" >&2
    exit 1
  fi
  : > "$HOME/.config/systemd/user/windlass-linger"
fi
systemctl --user daemon-reload
systemctl --user enable --quiet "$@"
systemctl --user restart "$@"
systemctl --user is-active "$@"
[ "$is_last" = no ] || rm -f "$root/workers/activating"
