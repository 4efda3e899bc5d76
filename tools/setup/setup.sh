# What tools/seqgraph, tools/test and tools/test_onednn3 share; a Bash library, to be sourced.
# Everything printed here goes to standard error: standard output belongs to the command.
#
# Environment:
#   SEQGRAPH_NO_INSTALL=1  say what is missing, install nothing.
#   SEQGRAPH_BAZEL         the Bazel to use; without it Debian's (another one on the PATH would want
#                          to download things).

# The repository, whatever the current folder is and however the script was reached.
SEQ_ROOT=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
SEQ_CACHE=$SEQ_ROOT/.cache/seqgraph
SEQ_BAZEL=${SEQGRAPH_BAZEL:-/usr/bin/bazel}

# Debian packages without which nothing builds, and those that only tests need.
SEQ_BUILD_PACKAGES=(
  bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto bazel-skylib binutils
  fonts-dejavu-core g++ libabsl-dev libarchive-dev libcli11-dev libdnnl-dev libfreetype-dev
  libhwy-dev libicu-dev libisal-dev libonnx-dev libpng-dev libprotobuf-dev libsndfile1-dev
  nettle-dev nlohmann-json3-dev pkgconf protobuf-compiler
)
SEQ_TEST_PACKAGES=(
  "${SEQ_BUILD_PACKAGES[@]}" clang-format cmake git libbenchmark-dev libclang-rt-dev libfuse3-dev
  libgmock-dev libgtest-dev libhdf5-dev libonnx-testdata libopenmpi-dev make openmpi-bin
  python3-numpy python3-pip time
)

seq_say() { printf 'seqgraph: %s\n' "$*" >&2; }

seq_die() {
  seq_say "error: $*"
  exit 1
}

# seq_missing PACKAGE...: prints those that are not installed, one a line.
seq_missing() {
  local installed package
  installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" installed:$package "* ]] || printf '%s\n' "$package"
  done
}

# seq_baselines PACKAGE...: holds the versions that are installed against baselines.txt; ends with one
# error that names all that are too old or too new, and notes those that nobody has tried.
seq_baselines() {
  local package oldest newest refused version wrong='' untried=''
  local -A installed=()
  while read -r package version; do
    version=${version#*:}                              # without the epoch,
    installed[$package]=${version%%[-+~]*}             # and what the distribution adds
  done < <(dpkg-query -W -f '${Package} ${Version}\n' "$@" 2>/dev/null)
  while read -r package oldest newest refused; do
    version=${installed[$package]:-}
    [[ $package != '#'* && -n $version ]] || continue
    if dpkg --compare-versions "$version" lt "$oldest"; then
      wrong+="${wrong:+, }$package $version is too old (from $oldest on)"
    elif [[ $refused != - ]] && dpkg --compare-versions "$version" ge "$refused"; then
      wrong+="${wrong:+, }$package $version is too new (below $refused)"
    elif dpkg --compare-versions "$version" gt "$newest"; then
      untried+="${untried:+, }$package $version (tried up to $newest)"
    fi
  done <"$SEQ_ROOT/tools/setup/baselines.txt"
  [[ -z $untried ]] || seq_say "newer than what has been tried: $untried"
  [[ -z $wrong ]] || seq_die "$wrong; see docs/platforms.md"
}

# seq_packages PACKAGE...: installs what is missing, and holds all against their baselines, or ends
# with one error.
seq_packages() {
  local -a missing as_root=()
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    seq_die "no apt-get here: set-up knows Debian 12 and 13; elsewhere install the equivalents of: $*"
  # Java's installation scripts and Bazel read /proc; without it they fail in obscure ways.
  [[ -e /proc/self/exe ]] || seq_die "/proc is not mounted; mount it: mount -t proc proc /proc"
  [[ $(uname -m) == x86_64 ]] ||
    seq_die "this machine is $(uname -m), and set-up knows x86-64 alone; see docs/platforms.md"
  missing=($(seq_missing "$@"))
  if ((${#missing[@]} == 0)); then
    seq_baselines "$@"
    return
  fi
  if [[ ${SEQGRAPH_NO_INSTALL:-} == 1 ]]; then
    seq_die "missing packages (SEQGRAPH_NO_INSTALL=1, so nothing is installed): ${missing[*]}"
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      seq_die "not root and no sudo; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  seq_say "installing with apt-get: ${missing[*]}"
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=600)
  # Without an archive in reach the packages may still be on the machine: let the install decide.
  "${apt[@]}" update </dev/null >&2 || seq_say "apt-get update failed; going on with the old lists"
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >&2 ||
    seq_die "apt-get could not install: ${missing[*]} (its reason is above)"
  missing=($(seq_missing "$@"))
  ((${#missing[@]} == 0)) || seq_die "still not installed after apt-get: ${missing[*]}"
  seq_baselines "$@"
}

# seq_cache_folder: makes the folder of what is built, or ends with one error.
seq_cache_folder() {
  mkdir -p "$SEQ_CACHE" 2>/dev/null && [[ -w $SEQ_CACHE ]] ||
    seq_die "cannot write to $SEQ_CACHE, where the built program is kept"
}

# seq_bazel ARGUMENT...: Bazel in the repository. Its output root is the usual one in the home folder,
# or .cache/bazel where there is no home folder that can be written.
seq_bazel() {
  # Bazel's server outlives this script: it must not inherit the lock (descriptor 9).
  (
    cd "$SEQ_ROOT" || exit 1
    unset USE_BAZEL_VERSION
    startup=()
    # Where HOME is unset, ~ is the user's entry in /etc/passwd.
    export HOME=${HOME:-$(echo ~)}
    if [[ ! -w $HOME ]]; then
      HOME=$SEQ_ROOT/.cache
      startup=("--output_user_root=$SEQ_ROOT/.cache/bazel")
    fi
    exec "$SEQ_BAZEL" ${startup[@]+"${startup[@]}"} "$@" </dev/null 9>&-
  )
}

# seq_room MEGABYTES: one line where the disk that Bazel writes to has less left than so many. A build
# that has little to do takes less, so it is no error.
seq_room() {
  local output free
  output=$(seq_bazel info --ui_event_filters=-info,-stderr output_base) || return 0
  free=$(df -Pm -- "$output" 2>/dev/null | awk 'NR == 2 { print $4 }')
  [[ -n $free ]] && ((free < $1)) || return 0
  seq_say "$free MB are free on the disk of $output; a build from nothing takes about $1 MB"
}

# seq_locked COMMAND...: runs it while no other set-up or build of this checkout runs.
seq_locked() {
  seq_cache_folder
  (
    if ! flock -n 9; then
      seq_say "waiting for another set-up or build of this checkout"
      flock 9
    fi
    "$@"
  ) 9>"$SEQ_CACHE/lock"
}

# seq_mpi: the headers of the MPIs that the program could be built with.
seq_mpi() {
  local header
  for header in /usr/lib/*/{openmpi,mpich}/include/mpi.h; do
    [[ ! -e $header ]] || printf '%s\n' "$header"
  done
}

# The program is current when the contents of all its sources are those it was built from. `inputs`
# lists them (written by seq_build from Bazel's own graph), `stamp` is their hash, and which MPI this
# machine has, if any.
seq_stamp() {
  [[ -s $SEQ_CACHE/inputs ]] || return
  (
    cd "$SEQ_ROOT" || exit
    {
      xargs -d '\n' sha1sum -- <"$SEQ_CACHE/inputs" 2>/dev/null
      seq_mpi
    } | sha1sum
  )
}

seq_is_current() {
  local stamp
  [[ -x $SEQ_CACHE/seqgraph_main && -r $SEQ_CACHE/stamp ]] || return
  stamp=$(seq_stamp) && [[ $stamp == "$(<"$SEQ_CACHE/stamp")" ]]
}

# seq_write_inputs: every file of the repository that //tools:seqgraph_main is built from, BUILD and
# .bzl files too, so that a new source shows as a changed BUILD file.
seq_write_inputs() {
  local target='deps(//tools:seqgraph_main)'
  local query="kind('source file', $target) union buildfiles($target)"
  {
    seq_bazel query --ui_event_filters=-info,-stderr --noshow_progress "$query" |
      sed -n 's,^//,,p' | sed 's,^:,,; s,:,/,' || return
    printf '%s\n' WORKSPACE .bazelrc tools/setup/setup.sh
    [[ ! -e $SEQ_ROOT/.bazelrc.user ]] || printf '%s\n' .bazelrc.user
  } | LC_ALL=C sort -u >"$SEQ_CACHE/inputs.new" && mv "$SEQ_CACHE/inputs.new" "$SEQ_CACHE/inputs"
}

# seq_copy_mpi FILE: keeps what speaks MPI beside the program; without MPI there is none.
seq_copy_mpi() {
  local kept=$SEQ_CACHE/libseqgraph_mpi.so
  if [[ -e $1 ]] && [[ -n $(seq_mpi) ]]; then
    cp -f "$1" "$kept.new" && mv -f "$kept.new" "$kept"
  else
    rm -f "$kept"
  fi
}

# seq_build: installs what is missing, builds the program and keeps a copy where no other build
# configuration overwrites it. Runs under the lock.
seq_build() {
  local bin
  ! seq_is_current || return 0 # Another run has built it meanwhile.
  seq_packages "${SEQ_BUILD_PACKAGES[@]}"
  seq_say "building"
  # The hash is taken before the build: a source edited meanwhile is built again next time.
  seq_room 1500
  seq_write_inputs || seq_die "Bazel cannot read the BUILD files (its reason is above)"
  local stamp
  stamp=$(seq_stamp)
  seq_bazel build --ui_event_filters=-info --show_result=0 //tools:seqgraph_main >&2 ||
    seq_die "the build failed (its reason is above)"
  bin=$(seq_bazel info --ui_event_filters=-info,-stderr bazel-bin) &&
    cp -f "$bin/tools/seqgraph_main" "$SEQ_CACHE/seqgraph_main.new" &&
    mv -f "$SEQ_CACHE/seqgraph_main.new" "$SEQ_CACHE/seqgraph_main" &&
    seq_copy_mpi "$bin/distributed/mpi/libseqgraph_mpi.so" &&
    printf '%s\n' "$stamp" >"$SEQ_CACHE/stamp.new" &&
    mv "$SEQ_CACHE/stamp.new" "$SEQ_CACHE/stamp" ||
    seq_die "cannot copy the built program to $SEQ_CACHE"
}
