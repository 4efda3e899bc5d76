#!/bin/bash
# Runs `mpirun -n 2 PROGRAM ARGUMENTS` with one rank on each of two made-up hosts, hosta and hostb:
# network namespaces with a virtual cable between them.
#
# usage: two_hosts.sh NETEM PROGRAM ARGUMENTS...
#
# NETEM: what tc's netem does to the cable ("delay 2ms loss 1%"); "": nothing. A line "cut" on
# standard input takes the cable out. Exit status 77: no namespaces can be made here; 78: no netem.

set -u
netem=$1 program=$2
shift 2

if [[ -z ${HOST_A:-} ]]; then
  map=()
  ((EUID == 0)) || map=(--map-root-user)
  unshare "${map[@]}" --net --uts true 2>/dev/null || exit 77
  HOST_A=1 exec unshare "${map[@]}" --net --uts -- "$0" "$netem" "$program" "$@"
fi

files=$(mktemp -d /dev/shm/sgXXXXXX)
export TMPDIR=$files
end() {
  kill "$host_b"
  [[ ! -s $files/daemon ]] || kill -9 -- "-$(<"$files/daemon")"
  rm -rf -- "$files"
} 2>/dev/null
trap end EXIT

hostname hosta || exit 77
unshare --net --uts sleep 1000 >/dev/null 2>&1 </dev/null &
host_b=$!
for ((i = 0; i < 100; ++i)); do
  [[ $(readlink /proc/$host_b/ns/net) == "$(readlink /proc/self/ns/net)" ]] || break
  sleep 0.05
done
on_b() { nsenter --target "$host_b" --net --uts "$@"; }
{
  ip link add cable0 type veth peer name cable1 && ip link set cable1 netns "$host_b" &&
    ip link set lo up && ip addr add 10.99.0.1/24 dev cable0 && ip link set cable0 up &&
    on_b ip link set lo up && on_b ip addr add 10.99.0.2/24 dev cable1 &&
    on_b ip link set cable1 up && on_b hostname hostb
} >/dev/null 2>&1 || exit 77
if [[ -n $netem ]]; then
  # shellcheck disable=SC2086
  tc qdisc add dev cable0 root netem $netem 2>/dev/null || exit 78
fi

# What mpirun starts its daemon on the other host with, as ssh: AGENT HOST COMMAND...
cat >"$files/agent" <<AGENT
#!/bin/bash
shift
echo \$\$ >$files/daemon
exec setsid nsenter --target $host_b --net --uts sh -c "\$*"
AGENT
chmod +x "$files/agent"

# A lost daemon is noticed by its connection alone, and only before mpirun has something to tell it:
# before the ranks end. Else it waits for ever.
printf '%s slots=1\n' 10.99.0.1 10.99.0.2 >"$files/hosts"
mpirun -n 2 --hostfile "$files/hosts" --bind-to none \
  --mca plm rsh --mca plm_rsh_agent "$files/agent" --mca btl self,tcp \
  --mca btl_tcp_if_include 10.99.0.0/24 --mca oob_tcp_if_include 10.99.0.0/24 \
  --mca oob_tcp_keepalive_time 2 --mca oob_tcp_keepalive_intvl 1 --mca oob_tcp_keepalive_probes 2 \
  "$program" "$@" </dev/null &
job=$!
# Until the job ends; its status is ours.
while kill -0 "$job" 2>/dev/null; do
  read -r -t 0.1 word || { word='' && sleep 0.1; }
  [[ $word != cut ]] || ip link set cable0 down
done
wait "$job"
