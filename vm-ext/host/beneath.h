// Paths that stay beneath a directory: neither `..` nor a symbolic link nor a rename at the wrong moment leads out.
//
// A path is what a guest gave: bytes without NUL, up to path_length of them, relative. What leads out fails with
// EPERM. Descriptors are closed on exec, and opening never waits (a pipe) and never takes a terminal.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

namespace comet {

inline constexpr size_t longest_path = 4096;

// A descriptor that closes itself; -1: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

// How a path is resolved: by the kernel (openat2), or component by component, which follows no symbolic link at all.
enum class Resolver { kernel, walk };

// What this host has.
Resolver host_resolver();

// open(2) beneath a directory. Empty and errno where it fails.
Descriptor open_beneath(int directory, const std::string& path, int flags, mode_t mode, Resolver resolver);

// The directory that a path's last name is in, opened, and that name, for what is done to names (making, removing); with a
// slash behind it where the path has one: it has to be a directory. No symbolic link is followed then, but by linkat's
// first name. Empty and errno where it fails; EINVAL where there is no such name (`.`, `..`, ``).
std::pair<Descriptor, std::string> parent_beneath(int directory, std::string path, Resolver resolver);

}  // namespace comet
