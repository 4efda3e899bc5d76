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

# What the shells themselves make of a line by TAB.
pages=$(dirname "$(realpath "$2")")
become() { # become SHELL TEXT LINE
  local got
  got=$("$1_completes" "$2") || fail "$1 does not complete"
  [[ $got == "$3" ]] || fail "$1: '$2' becomes '$got', not '$3'"
}
zsh_completes() {
  zsh -f "$TEST_TMPDIR/tab.zsh" "$pages" "$1"
}
cat >"$TEST_TMPDIR/tab.zsh" <<'EOF'
zmodload zsh/zpty
zpty shell zsh -f -i
expect() { # until the shell says it
  local part all= tries
  for tries in {1..300}; do
    while zpty -rt shell part 2>/dev/null; do all+=$part; done
    [[ $all == *$~1* ]] && { print -r -- "$all"; return }
    sleep 0.1
  done
  print -r -- "$all" >&2
  return 1
}
# Words that the shell prints are not written so in what is sent, which it shows too.
zpty -w shell "PS1= PS2= TERM=dumb; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w shell 'tell() { print; print -r -- "<$BUFFER>"; BUFFER= }; zle -N tell; bindkey "^X" tell'
zpty -w shell 'print rea""dy'
expect ready >/dev/null || exit 1
zpty -w -n shell "$2"$'\t\x18'
told=$(expect '<*>') || exit 1
print -r -- ${${told##*<}%%>*}
EOF
fish_completes() {
  HOME=$TEST_TMPDIR fish --no-config -c "source '$fish'; complete -C '$1'" | cut -f1
}
fish=$(realpath "$3")
cd "$TEST_TMPDIR" && touch model.pb
if command -v zsh >/dev/null; then
  become zsh 'seqgraph tr' 'seqgraph train '
  become zsh 'seqgraph train --mask_z' 'seqgraph train --mask_zero '
  become zsh 'seqgraph train --maxl' 'seqgraph train --maxlen='
  become zsh 'seqgraph ops --mask_z' 'seqgraph ops --mask_z'
  become zsh 'seqgraph train --cell=ls' 'seqgraph train --cell=lstm '
  become zsh 'seqgraph stream mod' 'seqgraph stream model.pb '
  become zsh 'seqgraph stream model.pb --load_state=mod' 'seqgraph stream model.pb --load_state=model.pb '
else
  echo "SKIPPED: there is no zsh here"
fi
if command -v fish >/dev/null; then
  become fish 'seqgraph tr' train
  become fish 'seqgraph train --mask_z' --mask_zero
  become fish 'seqgraph predict train --mask_z' ''
  become fish 'seqgraph ops --mask_z' ''
  become fish 'seqgraph train --cell=ls' --cell=lstm
  become fish 'seqgraph stream mod' model.pb
  become fish 'seqgraph stream model.pb --load_state=mod' --load_state=model.pb
else
  echo "SKIPPED: there is no fish here"
fi
exit $status
