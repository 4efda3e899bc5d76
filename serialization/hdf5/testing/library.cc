#include "serialization/hdf5/testing/library.h"

namespace seqgraph::hdf5 {
namespace {

// Files in memory alone: nothing is written to disk, nothing printed, no plugin loaded.
hid_t MemoryAccess() {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fapl_core(access, 1 << 16, 0);
  return access;
}

}  // namespace

std::string LibraryFile(bool latest, const std::function<void(hid_t file)>& fill) {
  const hid_t access = MemoryAccess();
  if (latest) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate("memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
  fill(file);
  H5Fflush(file, H5F_SCOPE_GLOBAL);
  std::string bytes(static_cast<size_t>(H5Fget_file_image(file, nullptr, 0)), '\0');
  H5Fget_file_image(file, bytes.data(), bytes.size());
  H5Fclose(file);
  H5Pclose(access);
  return bytes;
}

bool LookAtFile(absl::string_view bytes, const std::function<void(hid_t file)>& look) {
  const hid_t access = MemoryAccess();
  H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size());
  const hid_t file = H5Fopen("memory", H5F_ACC_RDONLY, access);
  H5Pclose(access);
  if (file < 0) return false;
  look(file);
  H5Fclose(file);
  return true;
}

}  // namespace seqgraph::hdf5
