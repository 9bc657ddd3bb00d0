/**
 * The two shell scripts that an upload runs on the other side. Data reaches them as arguments and standard input
 * only. They need sh, coreutils and, for compressed files, gzip.
 */

/** Exit codes of RECEIVE, named after the errno that the system gave. */
export const RECEIVE_EXIT = { full: 28, readOnly: 30, denied: 13, otherContent: 65, failed: 1 } as const;

/**
 * Ask for many files at once. Each `survey SHA256 MODE PATH` prints one line: `have`, or `need` with the free KiB and
 * the mount point of its file system. Temporary files that an upload left behind over an hour ago are removed.
 */
export const SURVEY = `
set -u
survey() {
  want=$1 mode=$2 path=$3
  folder=$(dirname -- "$path")
  if [ -f "$path" ] && [ ! -L "$path" ]; then
    found=$(sha256sum < "$path" 2>/dev/null) || found=
    if [ "\${found%% *}" = "$want" ] && chmod "$mode" "$path" 2>/dev/null; then
      echo have
      return
    fi
  fi
  if [ -d "$folder" ]; then
    find "$folder" -maxdepth 1 -type f -name '.windlass-upload-*' -mmin +60 -delete 2>/dev/null
  fi
  while [ ! -d "$folder" ] && [ "$folder" != / ] && [ "$folder" != . ]; do folder=$(dirname -- "$folder"); done
  free=$(df -Pk -- "$folder" 2>/dev/null | tail -n 1 | awk '{ print ($2 > 0 ? $4 : "?"), $NF }')
  echo "need \${free:-? ?}"
}
`;

/**
 * Receive one file: sh -c RECEIVE receive PATH TEMPORARY MODE SHA256 plain|gzip, the content on standard input. The
 * final name appears when the content is complete, right and on disk; whatever else happens, the temporary file goes.
 */
export const RECEIVE = `
set -u
path=$1 tmp=$2 mode=$3 want=$4 form=$5
folder=$(dirname -- "$path")
LC_ALL=C
export LC_ALL
umask 077
trap 'rm -f -- "$tmp"' EXIT
trap 'exit 1' HUP INT TERM PIPE
refuse() {
  rm -f -- "$tmp"
  at=$folder
  while [ ! -d "$at" ] && [ "$at" != / ] && [ "$at" != . ]; do at=$(dirname -- "$at"); done
  free=$(df -Pk -- "$at" 2>/dev/null | tail -n 1 | awk '{ print $4 }')
  printf 'free-kib %s\\n%s\\n' "\${free:-?}" "$1" >&2
  case $1 in
    *'No space left on device'* | *'quota exceeded'*) exit ${RECEIVE_EXIT.full} ;;
    *'Read-only file system'*) exit ${RECEIVE_EXIT.readOnly} ;;
    *'Permission denied'* | *'Operation not permitted'*) exit ${RECEIVE_EXIT.denied} ;;
    *) exit ${RECEIVE_EXIT.failed} ;;
  esac
}
store() {
  set -C
  if [ "$form" = gzip ]; then gzip -dc > "$tmp"; else cat > "$tmp"; fi
}
[ ! -d "$path" ] || refuse "$path is a directory"
said=$({ mkdir -p -- "$folder" && store; } 2>&1) || refuse "$said"
found=$(sha256sum < "$tmp")
if [ "\${found%% *}" != "$want" ]; then
  echo "the content has the sha256 \${found%% *}" >&2
  exit ${RECEIVE_EXIT.otherContent}
fi
said=$({ chmod "$mode" "$tmp" && sync -- "$tmp" && mv -fT -- "$tmp" "$path" && sync -- "$folder"; } 2>&1) || refuse "$said"
`;
