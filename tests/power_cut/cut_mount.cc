#include "tests/power_cut/cut_mount.h"

#define FUSE_USE_VERSION 31
#include <fcntl.h>
#include <fuse.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

CutDisk& Disk() { return *static_cast<CutDisk*>(fuse_get_context()->private_data); }

// Of a file that is open, or by its path.
CutDisk::Id IdOf(const char* path, const struct fuse_file_info* open) {
  return open != nullptr && open->fh != 0 ? static_cast<CutDisk::Id>(open->fh) : Disk().Find(path);
}

template <typename Call>
int WithId(const char* path, const struct fuse_file_info* open, Call call) {
  const CutDisk::Id id = IdOf(path, open);
  return id < 0 ? static_cast<int>(id) : call(id);
}

void* Init(struct fuse_conn_info* connection, struct fuse_config* config) {
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_WRITEBACK_CACHE);
  config->use_ino = 1;
  config->hard_remove = 1;
  config->nullpath_ok = 1;
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  return fuse_get_context()->private_data;
}

int GetAttributes(const char* path, struct stat* info, struct fuse_file_info* open) {
  return WithId(path, open, [&](CutDisk::Id id) {
    const CutDisk::Node& node = Disk().At(id);
    *info = {};
    info->st_ino = static_cast<ino_t>(id);
    info->st_mode = (node.is_folder ? S_IFDIR : S_IFREG) | node.mode;
    info->st_nlink = static_cast<nlink_t>(node.links);
    info->st_uid = ::getuid();
    info->st_gid = ::getgid();
    info->st_size = static_cast<off_t>(node.bytes.size());
    info->st_blocks = (info->st_size + 511) / 512;
    info->st_mtim = info->st_ctim = info->st_atim = node.modified;
    return 0;
  });
}

int Opened(CutDisk::Id id, struct fuse_file_info* open) {
  if (id < 0) return static_cast<int>(id);
  open->fh = static_cast<uint64_t>(id);
  return (open->flags & O_TRUNC) != 0 && !Disk().At(id).bytes.empty() ? Disk().Truncate(id, 0) : 0;
}

int Open(const char* path, struct fuse_file_info* open) { return Opened(Disk().Find(path), open); }

int Create(const char* path, mode_t mode, struct fuse_file_info* open) {
  const CutDisk::Id found = Disk().Find(path);
  return Opened(found > 0 ? found : Disk().Create(path, /*is_folder=*/false, mode), open);
}

int MakeDirectory(const char* path, mode_t mode) {
  const CutDisk::Id id = Disk().Create(path, /*is_folder=*/true, mode);
  return id < 0 ? static_cast<int>(id) : 0;
}

int Read(const char* path, char* to, size_t size, off_t offset, struct fuse_file_info* open) {
  return WithId(path, open, [&](CutDisk::Id id) {
    const std::string& bytes = Disk().At(id).bytes;
    if (Disk().is_cut()) return -EIO;
    if (static_cast<size_t>(offset) >= bytes.size()) return 0;
    return static_cast<int>(bytes.copy(to, size, static_cast<size_t>(offset)));
  });
}

int Write(const char* path, const char* bytes, size_t size, off_t offset,
          struct fuse_file_info* open) {
  return WithId(path, open, [&](CutDisk::Id id) {
    const bool appends = (open->flags & O_APPEND) != 0;
    const auto end = static_cast<off_t>(Disk().At(id).bytes.size());
    return Disk().Write(id, {bytes, size}, appends ? end : offset);
  });
}

int Truncate(const char* path, off_t size, struct fuse_file_info* open) {
  return WithId(path, open, [&](CutDisk::Id id) { return Disk().Truncate(id, size); });
}

int Sync(const char* path, int, struct fuse_file_info* open) {
  return WithId(path, open, [](CutDisk::Id id) { return Disk().Sync(id); });
}

int ReadDirectory(const char* path, void* buffer, fuse_fill_dir_t fill, off_t,
                  struct fuse_file_info* open, enum fuse_readdir_flags) {
  return WithId(path, open, [&](CutDisk::Id id) {
    for (const char* name : {".", ".."}) fill(buffer, name, nullptr, 0, fuse_fill_dir_flags());
    for (const auto& [name, node] : Disk().At(id).names) {
      struct stat info = {};
      info.st_ino = static_cast<ino_t>(node);
      info.st_mode = Disk().At(node).is_folder ? S_IFDIR : S_IFREG;
      fill(buffer, name.c_str(), &info, 0, fuse_fill_dir_flags());
    }
    return 0;
  });
}

int SetTimes(const char* path, const struct timespec times[2], struct fuse_file_info* open) {
  return WithId(path, open, [&](CutDisk::Id id) {
    timespec time = times[1];
    if (time.tv_nsec == UTIME_OMIT) return 0;
    if (time.tv_nsec == UTIME_NOW) ::clock_gettime(CLOCK_REALTIME, &time);
    return Disk().SetModified(id, time);
  });
}

const struct fuse_operations& Operations() {
  static const struct fuse_operations operations = [] {
    struct fuse_operations made = {};
    made.init = Init;
    made.getattr = GetAttributes;
    made.open = Open;
    made.opendir = Open;
    made.create = Create;
    made.mkdir = MakeDirectory;
    made.read = Read;
    made.write = Write;
    made.truncate = Truncate;
    made.fsync = Sync;
    made.fsyncdir = Sync;
    made.readdir = ReadDirectory;
    made.utimens = SetTimes;
    made.unlink = [](const char* path) { return Disk().Remove(path, /*is_folder=*/false); };
    made.rmdir = [](const char* path) { return Disk().Remove(path, /*is_folder=*/true); };
    made.rename = [](const char* from, const char* to, unsigned flags) {
      constexpr unsigned kNoReplace = 1;
      return (flags & ~kNoReplace) != 0 ? -EINVAL : Disk().Rename(from, to, flags == 0);
    };
    made.link = [](const char* from, const char* to) { return Disk().Link(from, to); };
    made.chmod = [](const char* path, mode_t mode, struct fuse_file_info* open) {
      return WithId(path, open, [mode](CutDisk::Id id) { return Disk().SetMode(id, mode); });
    };
    made.chown = [](const char*, uid_t, gid_t, struct fuse_file_info*) { return 0; };
    return made;
  }();
  return operations;
}

struct fuse* NewFuse(CutDisk& disk) {
  char program[] = "cut_disk";
  char* arguments[] = {program, nullptr};
  struct fuse_args given = FUSE_ARGS_INIT(1, arguments);
  return fuse_new(&given, &Operations(), sizeof(Operations()), &disk);
}

// A name space of mounts, as root or as somebody who becomes root in one of users.
std::string EnterNameSpace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return absl::StrCat("no name space of its own: ", std::strerror(errno));
    }
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " << user << " 1";
    std::ofstream("/proc/self/gid_map") << "0 " << group << " 1";
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return absl::StrCat("mounts cannot be private: ", std::strerror(errno));
  }
  return "";
}

// The process whose operation is under way, which waits for its answer.
void KillCaller() {
  const pid_t caller = fuse_get_context()->pid;
  if (caller > 0 && caller != ::getpid()) ::kill(caller, SIGKILL);
}

}  // namespace

struct CutMount::State {
  std::string folder;
  struct fuse* fuse = nullptr;
  std::thread server;
};

const std::string& WhyNoMounts() {
  static const auto* const why = new std::string([]() -> std::string {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) {
      return absl::StrCat("/dev/fuse cannot be opened: ", std::strerror(errno));
    }
    std::string no_name_space = EnterNameSpace();
    if (!no_name_space.empty()) return no_name_space;
    CutDisk disk;
    struct fuse* const fuse = NewFuse(disk);
    const std::string folder = MakeTempDir();
    if (fuse == nullptr) return "libfuse does not begin";
    const bool mounted = fuse_mount(fuse, folder.c_str()) == 0;
    if (mounted) fuse_unmount(fuse);
    fuse_destroy(fuse);
    return mounted ? "" : "FUSE cannot be mounted (its reason is above)";
  }());
  return *why;
}

CutMount::CutMount(CutDisk& disk, const std::string& folder, int64_t cut_after)
    : state_(std::make_unique<State>(State{.folder = folder})) {
  disk.CutAfter(cut_after, KillCaller);
  state_->fuse = NewFuse(disk);
  EXPECT_NE(state_->fuse, nullptr);
  EXPECT_EQ(fuse_mount(state_->fuse, folder.c_str()), 0);
  state_->server = std::thread([fuse = state_->fuse] { fuse_loop(fuse); });
}

CutMount::~CutMount() {
  // Whoever was killed may still be on the way out.
  int tries = 0;
  while (::umount2(state_->folder.c_str(), 0) != 0 && errno == EBUSY && ++tries < 1000) {
    ::usleep(1000);
  }
  EXPECT_LT(tries, 1000) << state_->folder << " is in use";
  if (tries == 1000) ::umount2(state_->folder.c_str(), MNT_DETACH);
  state_->server.join();
  fuse_unmount(state_->fuse);
  fuse_destroy(state_->fuse);
}

}  // namespace seqgraph
