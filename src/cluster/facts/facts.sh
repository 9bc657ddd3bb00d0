#!/bin/sh
# Reads the facts of this node: run as `sh facts.sh ARGS…`, or `sh -s -- ARGS…` with this text on standard input.
# It installs nothing and changes nothing. An emulated host pays 20 to 50 ms for each process, so small files are
# read by the shell itself, and what may wait for something (driver, network) runs beside the rest.
#
#   --root DIR         folder of windlass; DIR may begin with ~/
#   --model-dir DIR    where models would lie
#   --ports P,P,…      ports whose listeners are wanted
#   --reach URL        an http or https address to try; may be given again
#
# Answer: a line `windlass-facts 1`, base64, a line `windlass-facts end`; what a login script prints stays outside.
# Decoded, it is frames: `== NAME BYTES`, that many bytes, a line end; parse.ts reads them.

LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
nl='
'
soh=$(printf '\001')
root='' models='' ports='' urls=''

# The length goes before the content, so no content can break a frame.
frame() {
  length=${#2}
  [ "$length" -le "${3:-262144}" ] || length=${3:-262144}
  printf '== %s %d\n%.*s\n' "$1" "$length" "$length" "$2"
}

# Put a small file into $text without starting a process; false when it cannot be read.
slurp() {
  text='' line=''
  [ -r "$1" ] || return 1
  while IFS= read -r line; do text=$text$line$nl; done <"$1"
  text=$text$line
}

# The next functions run beside the rest. Each writes its frame in one piece that a pipe keeps whole (PIPE_BUF): bash
# writes at every line end, so these travel as another character. NAME CONTENT, of which no more than 3500 bytes go.
beside_frame() {
  rest=$2 joined=''
  while :; do
    case $rest in
      *"$nl"*) joined=$joined${rest%%"$nl"*}$soh rest=${rest#*"$nl"} ;;
      *) break ;;
    esac
  done
  joined=$joined$rest length=${#2}
  [ "$length" -le 3500 ] || length=3500
  printf '== %s %d%s%.*s%s' "$1" "$length" "$soh" "$length" "$joined" "$soh"
}

reach() {
  if [ -n "$asker" ]; then answer=$("ask_$asker" "$1" 2>&1); else answer='no tool'; fi
  beside_frame reach "$1$nl$answer"
}

# The first line of a page is enough, but some indexes are 30 MB long: HEAD. Any HTTP answer tells of a way.
ask_curl() { curl -gsSI -m 3 -o /dev/null -w 'HTTP %{http_code}' --url "$1"; }

ask_wget() { timeout 4 wget -nv --spider -S -T 3 -t 1 "$1"; }

ask_python3() {
  timeout 4 python3 -c '
import sys, urllib.request, urllib.error
try:
    request = urllib.request.Request(sys.argv[1], method="HEAD")
    print("HTTP", urllib.request.urlopen(request, timeout=3).status)
except urllib.error.HTTPError as error:
    print("HTTP", error.code)
except Exception as error:
    print("error:", error)' "$1"
}

gpus() {
  fields=name,compute_cap,driver_version
  answer=$(timeout 10 nvidia-smi --query-gpu=$fields --format=csv,noheader 2>&1)
  beside_frame gpus "$?$nl$answer"
}

gpu_processes() {
  answer=$(timeout 10 nvidia-smi --query-compute-apps=pid,used_memory --format=csv,noheader) &&
    beside_frame gpu-processes "$answer"
}

# A user unit has the groups of its manager's start, which may be older than those of this login. A node worker is such
# a unit itself.
devices() {
  set --
  for device in /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm /dev/nvmap /dev/nvhost-gpu /dev/nvgpu/igpu0/ctrl; do
    [ ! -e "$device" ] || set -- "$@" "$device"
  done
  [ $# -gt 0 ] || { beside_frame devices "0$nl"; return; }
  set -- find "$@" -maxdepth 0 ! \( -readable -writable \) -printf '%g %p\n'
  slurp /proc/self/cgroup
  case $text in
    *"/user@$uid.service/"*) ;;
    *) set -- systemd-run --user --pipe --wait --collect --quiet -- "$@" ;;
  esac
  answer=$(timeout 10 "$@" 2>&1)
  beside_frame devices "$?$nl$answer"
}

beside() {
  old_ifs=$IFS
  IFS=$nl
  for url in $urls; do reach "$url" & done
  IFS=$old_ifs
  if command -v nvidia-smi >/dev/null; then
    gpus &
    gpu_processes &
  else
    beside_frame gpus 127
  fi
  devices &
  read -r own_name </proc/sys/kernel/hostname
  beside_frame own-name "$own_name$nl$(timeout 4 getent ahosts "$own_name")" &
  wait
}

machine() {
  frame machine "$(uname -m)"
  frame glibc "$(getconf GNU_LIBC_VERSION)"
  frame id "$identity"
  frame home "$HOME"
  for file in /proc/sys/kernel/hostname /proc/1/comm /etc/os-release /etc/nv_tegra_release; do
    slurp "$file" && frame "${file##*/}" "$text" 8192
  done
  text=''
  while read -r line; do
    text=$text$line$nl
    case $line in MemAvailable:*) break ;; esac
  done </proc/meminfo
  frame meminfo "$text"
  frame interfaces "$(ip -j addr)" 524288
  text=''
  for file in /usr/local/cuda*/bin/ptxas; do [ ! -x "$file" ] || text=$text$file$nl; done
  frame ptxas "$text"
  text=''
  for file in /sys/class/infiniband/*/ports/1/state; do
    [ -r "$file" ] && read -r line <"$file" || continue
    case $line in *ACTIVE*) ;; *) continue ;; esac
    for line in "${file%/ports/1/state}"/device/net/*; do text=$text${line##*/}$nl; done
  done
  frame rdma "$text"
}

systemd() {
  user=${identity#*\(} user=${user%%\)*}
  text=unknown
  [ ! -x /var/lib/systemd ] || text=no
  [ ! -e "/var/lib/systemd/linger/$user" ] || text=yes
  frame linger "$text"
  text=no
  for file in /usr/lib/polkit-1/polkitd /usr/libexec/polkitd /usr/libexec/polkit-1/polkitd; do
    [ ! -x "$file" ] || text=yes
  done
  frame polkit "$text"
  text=no
  [ ! -e /sys/fs/cgroup/cgroup.controllers ] || text=yes
  frame unified "$text"
  answer=$(systemctl --user show -p Version,SystemState 2>&1) && {
    frame manager "$answer"
    units=$(systemctl --user show 'windlass-*' -p Id,ActiveState,MainPID,ControlGroup) &&
      frame units "$units"
    return
  }
  frame manager-error "$answer" 2000
  frame systemd-version "$(systemctl --version)" 2000
}

# The folder itself, or the nearest one above it that exists.
nearest() {
  at=$1
  until [ -e "$at" ] || [ "$at" = / ]; do at=${at%/*} at=${at:-/}; done
}

disks() {
  nearest "$root"
  root_at=$at
  nearest "$models"
  frame disks "$root$nl$models$nl$(timeout 5 df -B1 --output=fstype,avail,target -- "$root_at" "$at")"
}

pythons() {
  text='' count=0 old_ifs=$IFS
  IFS=:
  for folder in $login_path; do
    # /bin is a link to /usr/bin; a folder of shims holds no interpreters, and asking one takes 0.3 s.
    case $folder in */shims) continue ;; esac
    [ ! -h "$folder" ] || continue
    for file in "$folder"/python3.[0-9] "$folder"/python3.[0-9][0-9]; do
      [ -x "$file" ] && [ "$count" -lt 6 ] || continue
      count=$((count + 1))
      text="$text$("$file" --version) $file$nl"
    done
  done
  IFS=$old_ifs
  for file in "$root"/cache/python/cpython-3*/bin/python3.[0-9]*; do
    case ${file##*/} in *-*) ;; *) [ ! -x "$file" ] || text="${text}managed $file$nl" ;; esac
  done
  frame pythons "$text"
}

# Processes that matter are gathered first, then looked at together.
gather() { case " $pids " in *" $1 "*) ;; *) pids="$pids $1" ;; esac; }

# The processes of a control group and of all groups below it.
walk() {
  while read -r pid; do gather "$pid"; done <"$1/cgroup.procs"
  for inner in "$1"/*/; do [ ! -d "$inner" ] || walk "${inner%/}"; done
}

our_processes() {
  for group_root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [ ! -e "$group_root/cgroup.procs" ] || break
  done
  IFS=$nl
  for line in $units; do
    case $line in ControlGroup=/*) walk "$group_root${line#ControlGroup=}" ;; esac
  done
  IFS=$old_ifs
}

# Candidates only, by a cheap look: who is a stranger is decided by the reader. The shell drops the zero bytes.
strangers() {
  for folder in /proc/[0-9]*; do
    read -r name <"$folder/comm" || continue
    case $name in
      raylet | gcs_server | ray | ray::* | sglang* | vllm* | VLLM* | ollama*) gather "${folder#/proc/}" ;;
      gdm* | sddm* | lightdm* | Xorg | Xwayland | gnome-shell) gather "${folder#/proc/}" ;;
      python*)
        read -r line <"$folder/cmdline"
        case $line in *sglang* | *vllm*) gather "${folder#/proc/}" ;; esac
        ;;
    esac
  done
}

# What ran beside has ended by now, or ends within its limits: take its frames, and the pids among them.
beside_frames() {
  answers=$(tr "$soh" '\n' <&3; echo .)
  printf %s "${answers%.}"
  case $answers in *"== gpu-processes "*) ;; *) return ;; esac
  rest=${answers##*"== gpu-processes "}
  IFS=$nl
  for line in ${rest%%"$nl== "*}; do
    case $line in [0-9]*,*) gather "${line%%,*}" ;; esac
  done
  IFS=$old_ifs
}

listeners() {
  filter=''
  IFS=,
  for port in $ports; do filter="$filter or sport = :$port"; done
  IFS=$old_ifs
  [ -n "$filter" ] || return
  found=$(ss -Hltnpe "( ${filter# or } )") || return
  frame listeners "$found"
  rest=$found
  while :; do
    case $rest in *pid=*) rest=${rest#*pid=} ;; *) break ;; esac
    gather "${rest%%[!0-9]*}"
  done
  # Without root the pid of another user's listener is hidden; a user with one process gives it away.
  case $found in *uid:*) owners_of_ports ;; esac
}

owners_of_ports() {
  wanted=' '
  IFS=$nl
  for line in $found; do
    case $line in *pid=*) continue ;; *uid:*) line=${line#*uid:} wanted="$wanted${line%%[!0-9]*} " ;; esac
  done
  [ "$wanted" = ' ' ] || for line in $(stat -c '%u %n' /proc/[0-9]*); do
    case $wanted in *" ${line%% *} "*) gather "${line##*/}" ;; esac
  done
  IFS=$old_ifs
}

processes() {
  pids='' old_ifs=$IFS
  our_processes
  strangers
  listeners
  beside_frames
  set --
  for pid in $pids; do
    [ $# -lt 500 ] || break
    slurp "/proc/$pid/stat" || continue
    stat=$text
    slurp "/proc/$pid/cgroup"
    frame process "$pid$nl$stat$text" 8192
    set -- "$@" "/proc/$pid"
  done
  [ $# -gt 0 ] || return
  frame owners "$(stat -c '%u %n %U' "$@")"
  for pid; do
    shift
    set -- "$@" "$pid/cmdline"
  done
  frame commands "$(grep -aHz -m 64 '' "$@" | tr '\0' '\n' | head -c 262144)"
}

# What windlass keeps here.
state() {
  [ -d "$root" ] || return
  [ ! -h "$root/workers/current" ] || frame payload "$(readlink "$root/workers/current")" 4096
  set -- "$root"/locks/pylock.*.toml
  [ ! -e "$1" ] || frame locks "$(sha256sum -- "$@")"
  # An id that lost its text with the machine's power is minted anew; whom an empty owner.json named is not guessed.
  [ ! -s "$root/node.json" ] || frame exists node.json
  [ ! -e "$root/owner.json" ] || frame exists owner.json
  for file in home/ca/ca.crt home/ca/server.crt certificates/node.crt; do
    [ ! -s "$root/$file" ] || ! slurp "$root/$file" || frame "certificate/$file" "$text" 16384
  done
  text=''
  outdated=''
  for file in "$root"/runs/windlass-*/unit.json; do
    file=${file%/unit.json}
    [ -s "$file/unit.json" ] || continue
    text="$text${file##*/}$nl"
    # A Ray whose token was written anew since it was started may know another one.
    [ ! "$root/secrets/rayToken" -nt "$file/unit.json" ] || outdated="$outdated${file##*/}$nl"
  done
  frame unit-files "$text"
  frame ray-outdated "$outdated"
  text=$root/ray$nl
  for file in "$root"/ray/session_*/sockets; do
    [ ! -d "$file" ] || text="$text$file$nl"
  done
  frame ray-sockets "$text"
  set -- "$root/node.json" "$root/owner.json" "$root"/envs/*/windlass.json "$root"/proofs/*.json \
    "$root"/models/*.json "$root"/runs/windlass-*/result.json
  small=$(find "$@" -maxdepth 0 -type f -size -128)
  set -- '/nothing'
  old_ifs=$IFS
  IFS=$nl
  for file in $small; do
    name=${file#"$root"/}
    case $name in *[!A-Za-z0-9._/-]*) continue ;; esac
    slurp "$file" && frame "file/$name" "$text"
    case $name in
      envs/*) listing "${file%/*}" "${name%/*}" ;;
      models/*)
        # Two markers may name one folder, as of a branch and of its commit: its files count once.
        model_path "$text" && case $nl$seen in *"$nl$path$nl"*) ;; *) seen=$seen$path$nl && set -- "$@" "$path" ;; esac
        ;;
    esac
  done
  IFS=$old_ifs
  [ $# -eq 1 ] || frame model-files "$(find -L "$@" -type f -printf '%s %H\n' | head -c 2000000)" 2000000
}

# The names of the installed distributions, in the order of their bytes; none where no interpreter can run them.
listing() {
  [ -x "$1/bin/python" ] || return 0
  names=''
  for entry in "$1"/lib/python*/site-packages/*.dist-info; do
    [ ! -e "$entry" ] || names=$names${entry##*/}$nl
  done
  frame "listing/${2#envs/}" "$names"
}

# The path inside a marker; one that needs JSON's escapes is left alone.
model_path() {
  case $1 in *'"path"'*) ;; *) return 1 ;; esac
  path=${1#*\"path\"} path=${path#*\"} path=${path%%\"*}
  case $path in *\\*) return 1 ;; /*) ;; *) return 1 ;; esac
}

facts() {
  exec 3<&0 </dev/null
  frame clock "$clock"
  machine
  systemd
  disks
  pythons
  state
  processes
  frame end ''
}

expand() {
  case $1 in
    '~') expanded=$HOME ;;
    '~/'*) expanded=$HOME/${1#'~/'} ;;
    *) expanded=$1 ;;
  esac
}

main() {
  clock=$(date +%s%3N)
  login_path=$PATH
  while [ $# -gt 1 ]; do
    case $1 in
      --root) expand "$2" && root=$expanded ;;
      --model-dir) expand "$2" && models=$expanded ;;
      --ports) ports=$2 ;;
      --reach) case $2 in http://* | https://*) urls=$urls$2$nl ;; esac ;;
    esac
    shift 2
  done
  expand '~/.local/share/windlass'
  root=${root:-$expanded}
  # Where models are staged, whatever HF_HOME says here.
  models=${models:-$HOME/.cache/huggingface}
  case $ports in *[!0-9,]*) ports='' ;; esac
  identity=$(id)
  uid=${identity#uid=} uid=${uid%%[!0-9]*}
  if [ -z "$XDG_RUNTIME_DIR" ] && [ -d "/run/user/$uid" ]; then
    XDG_RUNTIME_DIR=/run/user/$uid
    export XDG_RUNTIME_DIR
  fi
  asker=''
  for tool in wget python3 curl; do command -v "$tool" >/dev/null && asker=$tool; done
  echo 'windlass-facts 1'
  beside | facts | base64
  echo 'windlass-facts end'
}

# One line at the very end: the shell has read the whole text before anything can take standard input from it.
main "$@" </dev/null 2>/dev/null
