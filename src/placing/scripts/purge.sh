#!/bin/sh
# Remove everything of ours from this node: purge.sh ROOT. Stops our units, deletes our unit files and our root.
# A root without our marker file, of another user, a link, a home directory, or / is refused before anything is touched.
set -u
root=$1
case $root in "~/"*) root=$HOME/${root#"~/"} ;; esac
# A slash behind a link leads to what it points at.
while [ "$root" != "${root%/}" ] && [ "$root" != / ]; do root=${root%/}; done
if [ -e "$root" ] && { [ -L "$root" ] || [ "$root" = / ] || [ "$root" -ef "$HOME" ] || [ ! -O "$root" ] ||
  [ ! -f "$root/node.json" ]; }; then
  echo "$root is not a folder of windlass; it was left alone, and nothing was stopped" >&2
  exit 1
fi
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-/run/user/$(id -u)}"
ours() { systemctl --user list-units --all --plain --no-legend 'windlass-*.service'; }
ours >/dev/null || [ ! -e "$root" ] || {
  echo "the user's systemd does not answer; nothing was stopped or removed" >&2
  exit 1
}
units=$HOME/.config/systemd/user
for unit in windlass-front windlass-control windlass-node windlass-temporal; do
  [ -e "$units/$unit.service" ] || continue
  systemctl --user disable --now --quiet "$unit.service" || echo "could not stop $unit" >&2
  rm -f "$units/$unit.service"
done
# Only now: until it ended, the node worker may have begun another.
running=$(ours) || [ ! -e "$root" ] || {
  echo "the user's systemd does not answer any more; nothing was removed" >&2
  exit 1
}
for unit in $(printf '%s\n' "$running" | cut -d' ' -f1); do
  systemctl --user stop "$unit"
done
systemctl --user daemon-reload
systemctl --user reset-failed 'windlass-*' 2>/dev/null
lingering=0
if [ -e "$units/windlass-linger" ]; then
  loginctl disable-linger && rm -f "$units/windlass-linger" || lingering=1
fi
rmdir "$units/default.target.wants" "$units" "$HOME/.config/systemd" "$HOME/.config" 2>/dev/null
if [ -e "$root" ]; then
  chmod -R u+w "$root" 2>/dev/null
  # The marker goes last: what could not be removed stays ours, and the next purge takes it up.
  find "$root" -mindepth 1 -maxdepth 1 ! -name node.json -exec rm -rf {} +
  [ "$(ls -A "$root")" != node.json ] || rm -rf "$root"
  if [ -e "$root" ]; then
    echo "not all of $root could be removed" >&2
    exit 1
  fi
  rmdir "$HOME/.local/share" "$HOME/.local" 2>/dev/null
  echo "removed $root"
else
  echo "nothing at $root"
fi
exit "$lingering"
