#!/bin/bash
# Tests tools/seqgraph as a whole in a made-up checkout whose "compiler" copies a script: what is
# installed, when it is built, and that the command is otherwise the program itself.

set -u -o pipefail
unset SEQGRAPH_NO_INSTALL
T=$TEST_TMPDIR
REPO="$T/a checkout"
mkdir -p "$REPO/tools/setup" "$T/bin" "$T/home" "$T/elsewhere/sub"
cp -L tools/seqgraph "$REPO/tools/"
cp -L tools/setup/setup.sh tools/setup/baselines.txt "$REPO/tools/setup/"
touch "$REPO/WORKSPACE" "$REPO/.bazelrc" "$REPO/BUILD" "$REPO/tools/BUILD"

# dpkg-query knows every package but those in $T/absent, in the versions of $T/versions; apt-get
# installs all of them.
cat >"$T/bin/dpkg-query" <<'EOF'
#!/bin/bash
format=$3
shift 3
if [[ $format == *Version* ]]; then
  exec cat "$T/versions"
fi
for package in "$@"; do
  grep -qx -- "$package" "$T/absent" 2>/dev/null || printf 'installed:%s ' "$package"
done
EOF
cat >"$T/versions" <<'EOF'
g++ 4:12.2.0-3
libdnnl-dev 2.6.3-1
libonnx-dev 1.12.0-2+b4
EOF
cat >"$T/bin/apt-get" <<'EOF'
#!/bin/bash
echo "apt-get $*" >>"$T/log"
cat >>"$T/apt_stdin"
echo "noise of apt-get"
[[ ! -e $T/apt_fails ]] || exit 100
[[ " $* " != *" install "* ]] || rm -f "$T/absent"
EOF
cat >"$T/bin/sudo" <<'EOF'
#!/bin/bash
exec "$@"
EOF
# The program's source is a script; "building" copies it. A server stays behind, as Bazel's does.
cat >"$T/bin/bazel" <<'EOF'
#!/bin/bash
echo "bazel $*" >>"$T/log"
[[ $1 != --* ]] || shift
case $1 in
  query) printf '%s\n' //tools:main.cc //tools:BUILD //:BUILD @bazel_tools//x:y ;;
  info) echo "$T/out" ;;
  build)
    echo "noise of Bazel"
    cat >/dev/null
    sleep 300 >/dev/null 2>&1 &
    echo $! >>"$T/servers"
    sleep 0.3
    [[ ! -e $T/build_fails ]] || exit 1
    mkdir -p "$T/out/tools"
    rm -f "$T/out/tools/seqgraph_main"
    cp tools/main.cc "$T/out/tools/seqgraph_main"
    chmod 555 "$T/out/tools/seqgraph_main"
    ;;
esac
EOF
chmod +x "$T"/bin/*
export T HOME=$T/home PATH=$T/bin:/usr/bin:/bin SEQGRAPH_BAZEL=$T/bin/bazel
trap '[[ ! -e $T/servers ]] || kill $(<"$T/servers") 2>/dev/null' EXIT

write_program() { # write_program VERSION
  cat >"$REPO/tools/main.cc" <<EOF
#!/bin/bash
echo "version $1"
printf '<%s>' "\$@"
echo
pwd
cat
exit 7
EOF
}

failures=0
expect() { # expect WHAT ACTUAL EXPECTED
  [[ $2 == "$3" ]] && return
  printf 'FAILED: %s\n  expected: %q\n  found:    %q\n' "$1" "$3" "$2"
  ((failures += 1))
}
expect_in() { # expect_in WHAT TEXT PART
  [[ $2 == *"$3"* ]] && return
  printf 'FAILED: %s\n  expected: ...%q...\n  found:    %q\n' "$1" "$3" "$2"
  ((failures += 1))
}
# call ARGUMENT...: sets out, err, status, and log (the fakes called meanwhile).
call() {
  : >"$T/log"
  out=$(timeout 30 "$COMMAND" "$@" <<<"a line" 2>"$T/err")
  status=$?
  err=$(<"$T/err") log=$(<"$T/log")
}
builds() { grep -c '^bazel.* build ' <<<"$log"; }

COMMAND=$REPO/tools/seqgraph
cd "$T/elsewhere" || exit 1
write_program 1
program_output() { printf 'version %s\n<two words><><-x>\n%s\na line' "$1" "$PWD"; }

printf '%s\n' libdnnl-dev g++ >"$T/absent"
SEQGRAPH_NO_INSTALL=1 call train
expect "NO_INSTALL: status" "$status" 1
expect "NO_INSTALL: calls nothing" "$log" ""
expect "NO_INSTALL: standard output" "$out" ""
expect_in "NO_INSTALL: names what is missing" "$err" "g++ libdnnl-dev"

touch "$T/apt_fails"
call train
expect "apt-get fails: status" "$status" 1
expect "apt-get fails: nothing is built" "$(builds)" 0
expect_in "apt-get fails: last line names it" "$(tail -n 1 "$T/err")" "could not install: g++ libdnnl-dev"
rm "$T/apt_fails"

cp "$T/versions" "$T/good_versions"
sed -i 's/^g++.*/g++ 4:11.4.0-1ubuntu1/; s/^libdnnl-dev.*/libdnnl-dev 4.0.1+ds-1/' "$T/versions"
call train
expect "wrong versions: status" "$status" 1
expect "wrong versions: nothing is built" "$(builds)" 0
expect "wrong versions: one line names them" "$(tail -n 1 "$T/err")" \
  "seqgraph: error: g++ 11.4.0 is too old (from 12.2 on), libdnnl-dev 4.0.1 is too new (below 4); see docs/platforms.md"
mv "$T/good_versions" "$T/versions"
printf '%s\n' libdnnl-dev g++ >"$T/absent"

call "two words" "" -x
expect "first call: output of the program alone" "$out" "$(program_output 1)"
expect "first call: its exit status" "$status" 7
expect_in "first call: says what it installs" "$err" "installing with apt-get: g++ libdnnl-dev"
expect_in "first call: installs only that" "$log" "install -y --no-install-recommends g++ libdnnl-dev
"
expect "first call: builds once" "$(builds)" 1
expect "first call: apt-get does not eat standard input" "$(cat "$T/apt_stdin")" ""

call "two words" "" -x
expect "second call: output" "$out" "$(program_output 1)"
expect "second call: quiet" "$err" ""
expect "second call: starts nothing" "$log" ""

touch "$REPO/tools/main.cc"
call
expect "touched source: starts nothing" "$log" ""

write_program 2
sed -i 's/^libonnx-dev.*/libonnx-dev 2.3.0-1/' "$T/versions"
call "two words" "" -x
expect_in "newer than tried: noted" "$err" "newer than what has been tried: libonnx-dev 2.3.0 (tried up to 1.17.0)"
expect "changed source: output" "$out" "$(program_output 2)"
expect "changed source: builds once" "$(builds)" 1
expect "changed source: installs nothing" "$(grep -c apt-get <<<"$log")" 0

echo "# a change" >>"$REPO/tools/BUILD"
call
expect "changed BUILD file: builds once" "$(builds)" 1
expect "room enough: nothing is said of it" "$(grep -c 'are free' <<<"$err")" 0

printf '%s\n' '#!/bin/bash' 'printf "%s\n" "a headline" "/dev/x 900 893 7 99% /"' >"$T/bin/df"
chmod +x "$T/bin/df"
echo "# another change" >>"$REPO/tools/BUILD"
call
expect_in "little room: said" "$err" "seqgraph: 7 MB are free on the disk of $T/out; a build from"
expect "little room: built all the same" "$(builds)" 1
rm "$T/bin/df"

write_program 3
touch "$T/build_fails"
call
expect "failed build: status" "$status" 1
expect "failed build: the old program does not run" "$out" ""
call
expect "failed build: tried again" "$(builds)" 1
rm "$T/build_fails"
call "two words" "" -x
expect "repaired build: output" "$out" "$(program_output 3)"

rm "$REPO/.cache/seqgraph/seqgraph_main"
call
expect "lost program: builds once" "$(builds)" 1

# Through a symbolic link and a relative path, from a folder below.
ln -s "$COMMAND" "$T/elsewhere/link"
cd "$T/elsewhere/sub" || exit 1
COMMAND=../link
call "two words" "" -x
expect "through a link: output" "$out" "$(program_output 3)"
expect "through a link: starts nothing" "$log" ""

write_program 4
: >"$T/log"
for i in 1 2 3 4 5; do "$COMMAND" "$i" </dev/null >"$T/out$i" 2>/dev/null & done
wait $(jobs -p)
expect "five at once: one build" "$(grep -c ' build ' "$T/log")" 1
for i in 1 2 3 4 5; do
  expect "five at once: output of $i" "$(<"$T/out$i")" "$(printf 'version 4\n<%s>\n%s' "$i" "$PWD")"
done

write_program 5
HOME=$T/no/such/home
call
expect_in "without a home folder: Bazel's files lie in .cache" "$log" \
  "bazel --output_user_root=$REPO/.cache/bazel build"
expect "without a home folder: status" "$status" 7

((failures == 0)) && echo "all passed"
exit $((failures > 0))
