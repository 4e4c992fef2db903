#include "beneath.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <vector>

namespace comet {
namespace {

constexpr int always = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int to_pass_through = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

#ifdef SYS_openat2
// linux/openat2.h, which older systems lack.
struct HowToOpen {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
constexpr uint64_t resolve_beneath = 0x08;
constexpr uint64_t resolve_no_magic_links = 0x02;

int kernel_open(int directory, const char* path, int flags, mode_t mode) {
  const HowToOpen how{static_cast<uint64_t>(flags), (flags & O_CREAT) != 0 ? mode : 0, resolve_beneath | resolve_no_magic_links};
  // The kernel gives EAGAIN where something was renamed while it looked at a `..`.
  for (int attempt = 0; attempt < 16; ++attempt) {  // beyond tests: a rename has to come between, sixteen times
    const long opened = syscall(SYS_openat2, directory, path, &how, sizeof how);
    // beyond tests: a rename or a signal has to come between
    if (opened >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(opened);
  }
  return -1;
}
#else
int kernel_open(int, const char*, int, mode_t) {
  errno = ENOSYS;
  return -1;
}
#endif

std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin && path.compare(begin, end - begin, ".") != 0) names.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

// `..` is taken as text, so that a directory which is moved meanwhile cannot make it lead elsewhere.
int walk_open(int directory, const std::string& path, int flags, mode_t mode) {
  std::vector<std::string> names;
  for (std::string& name : names_of(path)) {
    if (name != "..") {
      names.push_back(std::move(name));
    } else if (names.empty()) {
      errno = EPERM;
      return -1;
    } else {
      names.pop_back();
    }
  }
  if (names.empty()) return openat(directory, ".", flags, mode);
  Descriptor at;
  for (size_t i = 0; i + 1 < names.size(); ++i) {
    at = Descriptor(openat(at ? at.get() : directory, names[i].c_str(), to_pass_through));
    if (!at) return -1;
  }
  if (path.back() == '/' && (flags & O_CREAT) != 0) {
    errno = EISDIR;
    return -1;
  }
  if (path.back() == '/') flags |= O_DIRECTORY;
  return openat(at ? at.get() : directory, names.back().c_str(), flags | O_NOFOLLOW, mode);
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ < 0) return;
  const int error = errno;
  close(number_);
  errno = error;
}

Resolver host_resolver() {
  static const Resolver found = [] {
    const Descriptor root(kernel_open(AT_FDCWD, ".", to_pass_through, 0));
    return root ? Resolver::kernel : Resolver::walk;  // beyond tests: a host has openat2 or has not
  }();
  return found;
}

Descriptor open_beneath(int directory, const std::string& path, int flags, mode_t mode, Resolver resolver) {
  if (path.empty() || path.size() > longest_path || path.find('\0') != path.npos) {
    errno = path.empty() ? ENOENT : path.size() > longest_path ? ENAMETOOLONG : EINVAL;
    return Descriptor();
  }
  if (path.front() == '/') {
    errno = EPERM;
    return Descriptor();
  }
  flags |= (flags & O_PATH) != 0 ? O_CLOEXEC : always;
  Descriptor opened(resolver == Resolver::kernel ? kernel_open(directory, path.c_str(), flags, mode)
                                                 : walk_open(directory, path, flags, mode));
  // The kernel's word for a way out.
  if (!opened && errno == EXDEV) errno = EPERM;
  return opened;
}

std::pair<Descriptor, std::string> parent_beneath(int directory, std::string path, Resolver resolver) {
  const bool has_slash = !path.empty() && path.back() == '/';
  while (!path.empty() && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  std::string name = slash == path.npos ? path : path.substr(slash + 1);
  if (name.empty() || name == "." || name == ".." || name.find('\0') != name.npos) {
    errno = EINVAL;
    return {};
  }
  std::string parent = slash == path.npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
  if (has_slash) name += '/';
  return {open_beneath(directory, parent, O_PATH | O_DIRECTORY, 0, resolver), std::move(name)};
}

}  // namespace comet
