# The ten states of a node, and on the head the answer, as a person would check them by hand. The values stand in front
# of this text as variables. Prints the number of states that are not as wanted.
wrong=0
same() { [ "$1" = "$2" ] || { wrong=$((wrong + 1)); echo "not as wanted: $3" >&2; }; }
same "$(stat -c %a "$root")" 700 root
same "$(readlink "$root/workers/current")" "$payload" payload
same "$(cat "$root/node-worker.json")" "$settings" settings
same "$(cat "$root/secrets/rayToken")" "$token" secret
same "$(cat "$home/.config/systemd/user/windlass-node.service")" "$unit" unit
same "$(systemctl --user is-active windlass-node) $(systemctl --user is-enabled windlass-node)" 'active enabled' worker
same "$(eval "$list_environment")" "$environment_listing" environment
[ -f "$proof" ]
same $? 0 proof
same "$(eval "$list_model")" "$model_listing" model
same "$(systemctl --user is-active "$ray")" active Ray
if [ -n "$question" ]; then
  answer=$(curl -sS -m 30 -H 'content-type: application/json' -d "$question" "$api/v1/chat/completions")
  case $answer in *'"content"'*) ;; *) same "$answer" 'an answer' engine ;; esac
fi
echo "changed=$wrong"
