#include "output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace comet::runner {

OutputFile::OutputFile(const std::string& path)
    : path_(path),
      descriptor_(path == "-" ? STDERR_FILENO : open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  if (descriptor_ < 0) throw path_ + ": cannot be written: " + std::strerror(errno);
}

OutputFile::~OutputFile() {
  if (descriptor_ != STDERR_FILENO) close(descriptor_);
}

int OutputFile::take(void* data, const void* bytes, std::size_t length) {
  auto* const file = static_cast<OutputFile*>(data);
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
