#include "state_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace comet::runner {

StateFile::StateFile(const std::string& path)
    : path_(path), descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw path_ + ": cannot be written: " + std::strerror(errno);
}

StateFile::~StateFile() { close(descriptor_); }

int StateFile::take(void* data, const void* bytes, std::size_t length) {
  auto* const file = static_cast<StateFile*>(data);
  const auto* begin = static_cast<const char*>(bytes);
  while (length != 0) {
    const ssize_t written = write(file->descriptor_, begin, length);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      file->error_ = file->path_ + ": cannot be written: " + std::strerror(errno);
      return 1;
    }
    begin += written;
    length -= static_cast<std::size_t>(written);
  }
  return 0;
}

}  // namespace comet::runner
