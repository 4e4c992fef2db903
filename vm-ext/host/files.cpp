#include "files.h"

#include <fcntl.h>

#include <algorithm>

namespace comet {

bool Files::grant(const char* host_path, std::string name, bool changeable) {
  auto file = std::make_shared<OpenFile>();
  file->descriptor = Descriptor(open(host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file->descriptor) return false;
  file->changeable = changeable;
  file->name = std::move(name);
  files_.push_back(std::move(file));
  return true;
}

bool Files::has(const std::string& name) const {
  return std::any_of(files_.begin(), files_.end(), [&](const auto& file) { return file && file->name == name; });
}

OpenFile* Files::find(uint64_t number) const {
  const uint64_t place = number - first_file;
  return number >= first_file && place < files_.size() ? files_[static_cast<size_t>(place)].get() : nullptr;
}

int64_t Files::add(std::shared_ptr<OpenFile> file) {
  const auto place = std::find(files_.begin(), files_.end(), nullptr);
  const auto number = static_cast<int64_t>(first_file) + (place - files_.begin());
  if (place != files_.end()) {
    *place = std::move(file);
  } else {
    if (files_.size() >= most_files) return -1;
    files_.push_back(std::move(file));
  }
  return number;
}

bool Files::close(uint64_t number) {
  if (find(number) == nullptr) return false;
  files_[static_cast<size_t>(number - first_file)].reset();
  return true;
}

bool Files::renumber(uint64_t from, uint64_t to) {
  if (find(from) == nullptr || find(to) == nullptr) return false;
  if (from == to) return true;
  files_[static_cast<size_t>(to - first_file)] = std::move(files_[static_cast<size_t>(from - first_file)]);
  files_[static_cast<size_t>(from - first_file)].reset();
  return true;
}

}  // namespace comet
