"""A program that answers requests, one JSON object a line (peers/common.py describes them)."""

import json
import os
import select
import subprocess
import time

# One thread each, whatever library they use; no search for a GPU.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NPROC": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class ProgramError(Exception):
    """The program did not answer as it should: the message says what came instead."""


class Program:
    """A running program on one core; a context manager that ends it."""

    def __init__(self, command, core=None, timeout=900.0):
        self._timeout = timeout
        self._buffer = b""
        if core is not None:
            command = ["taskset", "-c", str(core)] + list(command)
        # What the program says besides is noise, unless it dies: then its last line is the reason.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, **ONE_THREAD), bufsize=0)
        self._noise = b""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process.stderr.close()

    def processor_seconds(self):
        """What all its threads have used so far."""
        return time.clock_gettime(~self._process.pid << 3 | 2)  # As clock_getcpuclockid has it.

    def ask(self, **request):
        """Sends a request and returns the answer; ProgramError if there is none, or no JSON."""
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError:
            pass  # It has ended; reading tells more.
        line = self._read_line()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ProgramError("answered %r, expected a JSON object" % line[:100].decode(errors="replace"))
        return answer

    def _read_line(self):
        stdout, stderr = self._process.stdout, self._process.stderr
        end = time.monotonic() + self._timeout
        streams = [stdout, stderr]
        while b"\n" not in self._buffer:
            ready, _, _ = select.select(streams, [], [], max(0.0, end - time.monotonic()))
            if not ready:
                self._process.kill()
                raise ProgramError("no answer in %g s" % self._timeout)
            if stderr in ready:
                noise = os.read(stderr.fileno(), 65536)
                self._noise = (self._noise + noise)[-4096:]
                if not noise:
                    streams.remove(stderr)
            if stdout in ready:
                answer = os.read(stdout.fileno(), 1 << 20)
                if not answer:
                    raise ProgramError(self._last_words())
                self._buffer += answer
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _last_words(self):
        status = self._process.wait()
        self._noise = (self._noise + (self._process.stderr.read() or b""))[-4096:]
        lines = self._noise.decode(errors="replace").strip().splitlines()
        return "ended with status %d: %s" % (status, lines[-1] if lines else "no message")
