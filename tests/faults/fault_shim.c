// Loaded into a program before its libraries (LD_PRELOAD): lets the k-th call of a kind fail, write
// less than it was given, or kill the process, and counts the calls. tests/faults/faults.h sets the
// variables; they are:
//
//   FAULTS_COUNTS  a file of 64-bit counters, which outlives a killed process: calls of each kind
//   in
//                  the order of kNames, then the faults that were made, likewise
//   FAULTS_UNDER   a folder: files count that lie below it, or have a relative path
//   FAULTS_KINDS   kinds whose calls are counted together for FAULTS_AT, with commas
//   FAULTS_AT      which of them goes wrong: 1 is the first
//   FAULTS_FOR     how many calls go wrong from there on
//   FAULTS_DO      the number of an errno, "short" or "kill"
//
// Calls count from main on: what libraries do before it is no command's. The system is called
// directly and memory comes from glibc by its second names, so that nothing here allocates or has
// to be looked up while it runs. What stdio writes is not seen, since glibc writes it without a
// name.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum Kind {
  kWrite,
  kSync,
  kRename,
  kOpen,
  kMkdir,
  kClose,
  kTruncate,
  kLock,
  kUnlink,
  kStdout,
  kMemory,
  kKinds
};
static const char* const kNames[kKinds] = {"write",    "sync", "rename", "open",   "mkdir", "close",
                                           "truncate", "lock", "unlink", "stdout", "memory"};
enum Act { kPass, kFail, kShort };

static bool armed, wanted[kKinds], is_short, is_kill;
static int error_number;
static int64_t first, last;
static const char* folder = "";
static size_t folder_size;
static atomic_int_fast64_t* counts;  // in FAULTS_COUNTS
static atomic_int_fast64_t calls;    // of the kinds that are wanted
enum { kFiles = 4096 };
static atomic_bool written[kFiles];  // descriptors of files below the folder that are written to

static int64_t NumberOf(const char* name, int64_t otherwise) {
  const char* const text = getenv(name);
  return text == NULL ? otherwise : strtoll(text, NULL, 10);
}

static void Arm(void) {
  const char* const path = getenv("FAULTS_COUNTS");
  if (path == NULL) return;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  void* const mapped =
      mmap(NULL, 2 * kKinds * sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  if (mapped == MAP_FAILED) _exit(99);
  counts = mapped;
  if (getenv("FAULTS_UNDER") != NULL) folder = getenv("FAULTS_UNDER");
  folder_size = strlen(folder);
  const char* const kinds = getenv("FAULTS_KINDS");
  for (int kind = 0; kinds != NULL && kind < kKinds; ++kind) {
    wanted[kind] = strstr(kinds, kNames[kind]) != NULL;
  }
  const char* const act = getenv("FAULTS_DO");
  is_short = act != NULL && strcmp(act, "short") == 0;
  is_kill = act != NULL && strcmp(act, "kill") == 0;
  error_number = (int)NumberOf("FAULTS_DO", EIO);
  first = NumberOf("FAULTS_AT", 0);
  last = first + NumberOf("FAULTS_FOR", 1) - 1;
  armed = true;
}

static enum Act Next(enum Kind kind) {
  if (!armed) return kPass;
  atomic_fetch_add_explicit(&counts[kind], 1, memory_order_relaxed);
  if (!wanted[kind]) return kPass;
  const int64_t call = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
  if (call < first || call > last) return kPass;
  atomic_fetch_add_explicit(&counts[kKinds + kind], 1, memory_order_relaxed);
  if (is_kill) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  if (is_short) return kShort;
  errno = error_number;
  return kFail;
}

static bool IsBelow(const char* path) {
  if (!armed || path == NULL) return false;
  if (path[0] != '/') return true;
  return strncmp(path, folder, folder_size) == 0 &&
         (path[folder_size] == '/' || path[folder_size] == '\0');
}

static bool IsWritten(int fd) { return armed && fd >= 0 && fd < kFiles && written[fd]; }

// The main that glibc calls: counting begins here.
static int (*program)(int, char**, char**);
static int ArmedMain(int argc, char** argv, char** environment) {
  Arm();
  return program(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char**, char**), int argc, char** argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void* stack_end) {
  __typeof__(&__libc_start_main) const start =
      (__typeof__(&__libc_start_main))dlsym(RTLD_NEXT, "__libc_start_main");
  program = main;
  return start(ArmedMain, argc, argv, init, fini, rtld_fini, stack_end);
}

static ssize_t WriteTo(int fd, const void* bytes, size_t size) {
  const bool counted = armed && (fd == STDOUT_FILENO || IsWritten(fd));
  switch (counted ? Next(fd == STDOUT_FILENO ? kStdout : kWrite) : kPass) {
    case kFail:
      return -1;
    case kShort:
      size = size > 1 ? size / 2 : size;
      break;
    case kPass:
      break;
  }
  return syscall(SYS_write, fd, bytes, size);
}

ssize_t write(int fd, const void* bytes, size_t size) { return WriteTo(fd, bytes, size); }

ssize_t writev(int fd, const struct iovec* parts, int count) {
  if (IsWritten(fd) && Next(kWrite) == kFail) return -1;
  return syscall(SYS_writev, fd, parts, count);
}

ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  const enum Act act = IsWritten(fd) ? Next(kWrite) : kPass;
  if (act == kFail) return -1;
  return syscall(SYS_pwrite64, fd, bytes, act == kShort && size > 1 ? size / 2 : size, at);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return pwrite64(fd, bytes, size, at);
}

int fsync(int fd) {
  // Of folders too, which are never written to.
  return armed && Next(kSync) == kFail ? -1 : (int)syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
  return armed && Next(kSync) == kFail ? -1 : (int)syscall(SYS_fdatasync, fd);
}
int flock(int fd, int what) {
  return armed && Next(kLock) == kFail ? -1 : (int)syscall(SYS_flock, fd, what);
}
int ftruncate64(int fd, off64_t size) {
  return IsWritten(fd) && Next(kTruncate) == kFail ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

// A file is closed whatever close says, as on Linux.
int close(int fd) {
  const bool fails = IsWritten(fd) && Next(kClose) == kFail;
  const int error = errno;
  if (fd >= 0 && fd < kFiles) written[fd] = false;
  const int result = (int)syscall(SYS_close, fd);
  if (!fails) return result;
  errno = error;
  return -1;
}

static int OpenAt(int at, const char* path, int flags, mode_t mode) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY && IsBelow(path);
  if (writes && Next(kOpen) == kFail) return -1;
  const int fd = (int)syscall(SYS_openat, at, path, flags, mode);
  if (fd >= 0 && fd < kFiles) written[fd] = writes;
  return fd;
}
static mode_t ModeOf(int flags, va_list arguments) {
  const bool has_mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return has_mode ? va_arg(arguments, mode_t) : 0;
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenAt(AT_FDCWD, path, flags, mode);
}
int open(const char* path, int flags, ...) __attribute__((alias("open64")));
int openat64(int at, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = ModeOf(flags, arguments);
  va_end(arguments);
  return OpenAt(at, path, flags, mode);
}
int openat(int at, const char* path, int flags, ...) __attribute__((alias("openat64")));
int creat64(const char* path, mode_t mode) {
  return OpenAt(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat(const char* path, mode_t mode) { return creat64(path, mode); }

int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  if (IsBelow(to) && Next(kRename) == kFail) return -1;
  return (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}
int renameat(int from_at, const char* from, int to_at, const char* to) {
  return renameat2(from_at, from, to_at, to, 0);
}
int rename(const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int mkdirat(int at, const char* path, mode_t mode) {
  if (IsBelow(path) && Next(kMkdir) == kFail) return -1;
  return (int)syscall(SYS_mkdirat, at, path, mode);
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int unlinkat(int at, const char* path, int flags) {
  if (IsBelow(path) && Next(kUnlink) == kFail) return -1;
  return (int)syscall(SYS_unlinkat, at, path, flags);
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

// Whatever errno was asked for, memory has one.
static bool OutOfMemory(void) {
  if (!armed || Next(kMemory) != kFail) return false;
  errno = ENOMEM;
  return true;
}
void* malloc(size_t size) { return OutOfMemory() ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return OutOfMemory() ? NULL : __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  return OutOfMemory() ? NULL : __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  return OutOfMemory() ? NULL : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* const got = memalign(alignment, size);
  if (got != NULL) *memory = got;
  return got == NULL ? ENOMEM : 0;
}
