#!/bin/bash
# Completion completes, and the man page has every command.
#
# usage: command_pages_test.sh seqgraph.bash _seqgraph seqgraph.fish seqgraph.1

set -u -o pipefail

status=0
fail() { printf 'command_pages_test: %s\n' "$1" >&2; status=1; }

source "$1" || fail "bash cannot read $1"
completed() { # completed WORD...: what the last word can become
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _seqgraph
  printf '%s\n' "${COMPREPLY[*]-}"
}
[[ $(completed seqgraph tr) == train ]] || fail "tr becomes $(completed seqgraph tr)"
[[ $(completed seqgraph train --mask_z) == --mask_zero ]] || fail "a switch takes no value"
[[ $(completed seqgraph train --maxl) == --maxlen= ]] || fail "a value follows a flag"
[[ -z $(completed seqgraph ops --mask_z) ]] || fail "a flag of another command"

read -ra commands <<<"$(completed seqgraph '')"
((${#commands[@]} > 10)) || fail "only ${#commands[@]} commands"
for command in "${commands[@]}"; do
  [[ $command == --* ]] || grep -q "^\.SS \"seqgraph $command\"" "$4" || fail "$4 lacks $command"
done
if command -v zsh >/dev/null; then zsh -n "$2" || fail "zsh cannot read $2"; fi
if command -v fish >/dev/null; then fish --no-execute "$3" || fail "fish cannot read $3"; fi
exit $status
