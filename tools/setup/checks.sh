# The checks of tools/test; a Bash library, sourced after setup.sh. A check returns 0 (passed),
# 3 (skipped) or another status (failed), and says why.

# The formatter of tools/test is npm's package, at this version.
SEQ_BUILDIFIER_VERSION=8.2.1

# seq_sources PATTERN...: the repository's own files that match, separated by NUL.
seq_sources() {
  # The checkout may belong to another user than the one who runs the tests.
  git -C "$SEQ_ROOT" -c "safe.directory=$SEQ_ROOT" ls-files -z -- "$@"
}

# Each version of clang-format breaks some lines in other places; the sources are as Debian 12's has them.
seq_check_clang_format() {
  local version
  version=$(/usr/bin/clang-format --version) || return
  if [[ $version != *' version 14.'* ]]; then
    echo "skipped: the sources are formatted by clang-format 14, and here is ${version##*version }"
    return 3
  fi
  seq_sources '*.h' '*.cc' '*.c' |
    (cd "$SEQ_ROOT" && xargs -0 -r -n 20 -P 2 /usr/bin/clang-format --dry-run -Werror)
}

seq_check_buildifier() {
  local folder=$SEQ_ROOT/.cache/buildifier-$SEQ_BUILDIFIER_VERSION buildifier
  buildifier=$folder/node_modules/.bin/buildifier
  if [[ ! -x $buildifier ]]; then
    if ! command -v npm >/dev/null; then
      echo "skipped: buildifier is an npm package, and there is no npm here"
      return 3
    fi
    if ! (mkdir -p "$folder" && cd "$folder" && timeout 300 npm install --no-audit --no-fund \
      --silent --prefix "$folder" "@bazel/buildifier@$SEQ_BUILDIFIER_VERSION" </dev/null); then
      echo "skipped: npm cannot fetch @bazel/buildifier@$SEQ_BUILDIFIER_VERSION"
      return 3
    fi
  fi
  seq_sources BUILD '*/BUILD' '*.bzl' WORKSPACE '*/WORKSPACE' |
    (cd "$SEQ_ROOT" && xargs -0 -r "$buildifier" -mode=check)
}

seq_check_folder_edges() {
  local rules
  rules=$(mktemp) || return
  seq_bazel query --ui_event_filters=-info,-stderr --noshow_progress --noimplicit_deps --output=xml \
    'kind(rule, //...)' >"$rules" && /usr/bin/python3 "$SEQ_ROOT/tests/folder_edges/check.py" "$rules"
  local status=$?
  rm -f "$rules"
  return "$status"
}

# Every header must compile without what others include before it. Bazel keeps the outcomes, so that
# only headers that changed are compiled again.
seq_check_headers() {
  seq_bazel build --keep_going --ui_event_filters=-info --show_result=0 --noshow_progress \
    --aspects=//bazel:headers.bzl%headers_alone --output_groups=headers //... 2>&1
}

# docs/recipes.md must be true: followed in a copy of the tree, what it writes and changes compiles,
# with the headers that are generated.
seq_check_recipes() {
  local tree bin status
  seq_bazel build --ui_event_filters=-info --show_result=0 --noshow_progress \
    //serialization/onnx:onnx_protoc 2>&1 &&
    bin=$(seq_bazel info --ui_event_filters=-info,-stderr bazel-bin) || return
  tree=$(mktemp -d) || return
  seq_sources | (cd "$SEQ_ROOT" && xargs -0 cp --parents -t "$tree") &&
    /usr/bin/python3 -B "$SEQ_ROOT/tests/recipes/follow.py" "$SEQ_ROOT/docs/recipes.md" "$tree" --compile \
      "-I$bin/serialization/onnx/_onnx"
  status=$?
  rm -rf "$tree"
  return "$status"
}

# README.md and docs/: their length, links and headings.
seq_check_pages() {
  /usr/bin/python3 -B "$SEQ_ROOT/tests/docs/check_pages.py" "$SEQ_ROOT"
}

# What the program says when something is wrong: a new message is to be read once.
seq_check_messages() {
  /usr/bin/python3 -B "$SEQ_ROOT/tests/docs/messages.py" "$SEQ_ROOT"
}

# The site of these pages, with every link of it. Without MkDocs, and none to be had, it is skipped.
seq_check_site() {
  local folder status
  folder=$(mktemp -d) || return
  "$SEQ_ROOT/tools/docs/site" "$folder/site" 2>&1
  status=$?
  ((status != 3)) || echo "skipped: there is no MkDocs here, and Debian's package mkdocs cannot be installed"
  rm -rf "$folder"
  return "$status"
}

# By the system's Python, which has the packages of SEQ_TEST_PACKAGES, whatever is first on the PATH.
seq_test_installed() {
  SEQGRAPH_PYTHON=${SEQGRAPH_PYTHON:-/usr/bin/python3} "$SEQ_ROOT/tools/test_installed" "$@"
}

# What tools/install installs must serve the programs of docs/using_the_library.md, and go again.
seq_check_installed() {
  local folder status=0
  folder=$(mktemp -d) || return
  "$SEQ_ROOT/tools/install" --prefix="$folder/prefix" 2>&1 &&
    seq_test_installed "$folder/prefix" &&
    "$SEQ_ROOT/tools/install" --prefix="$folder/prefix" --uninstall || status=1
  if ((status == 0)) && [[ -e $folder/prefix ]]; then
    echo "uninstalling leaves:"
    (cd "$folder" && find prefix)
    status=1
  fi
  rm -rf "$folder"
  return "$status"
}

# The Debian packages must hold what serves these programs too. They are unpacked, not installed:
# tools/test_on does that, in a root of its own.
seq_check_packages() {
  command -v dpkg-deb >/dev/null || return 3
  local folder package status=0
  folder=$(mktemp -d) || return
  "$SEQ_ROOT/tools/package" "$folder" 2>&1 || status=1
  for package in libseqgraph1 libseqgraph-dev seqgraph; do
    dpkg-deb -x "$folder/$package"_*.deb "$folder/root" || status=1
  done
  ((status != 0)) || seq_test_installed "$folder/root/usr" || status=1
  rm -rf "$folder"
  return "$status"
}

# seq_bazel_test OUTCOME:NAME... -- BAZEL_ARGUMENT...: runs the tests and prints the counts, the given
# cases among them; status 1 if a case failed. SEQGRAPH_SHARED is ../shared where nothing else is said.
seq_bazel_test() {
  local -a cases=()
  while (($#)) && [[ $1 != -- ]]; do
    cases+=("$1")
    shift
  done
  shift
  if [[ -z ${SEQGRAPH_SHARED:-} && -d $SEQ_ROOT/../shared ]]; then
    SEQGRAPH_SHARED=$(cd -P -- "$SEQ_ROOT/../shared" && pwd -P)
  fi
  export SEQGRAPH_SHARED=${SEQGRAPH_SHARED:-}
  local events status=0
  events=$(mktemp) || return
  seq_bazel test --keep_going --build_event_json_file="$events" --ui_event_filters=-info \
    --show_result=0 "$@" 2>&1 || status=$?
  /usr/bin/python3 "$SEQ_ROOT/tools/setup/collect_tests.py" "$events" "$status" \
    ${cases[@]+"${cases[@]}"} || status=1
  rm -f "$events"
  return "$status"
}
