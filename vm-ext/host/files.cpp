#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace comet {
namespace {

SavedFile::Kind kind_of(const struct stat& status) {
  return S_ISREG(status.st_mode) ? SavedFile::file : S_ISDIR(status.st_mode) ? SavedFile::directory : SavedFile::lost;
}

SavedFile::Kind kind_of(int descriptor) {
  struct stat status {};
  // beyond tests: what is open tells what it is
  return fstat(descriptor, &status) == 0 ? kind_of(status) : SavedFile::lost;
}

// Whether a path leads to what is open.
bool leads_to(const Descriptor& path, int opened) {
  struct stat one {}, other {};
  // beyond tests: what is open tells what it is, and another device has to be mounted meanwhile
  return path && fstat(path.get(), &one) == 0 && fstat(opened, &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

}  // namespace

std::string path_in(const OpenFile& directory, const std::string& path) {
  if (!directory.name.empty()) return path;
  std::string whole = directory.how.path.empty() ? std::string() : directory.how.path + "/" + path;
  return whole.size() > longest_path ? std::string() : whole;
}

int flags_of(const Opening& how) {
  return (!how.writable ? O_RDONLY : how.readable ? O_RDWR : O_WRONLY) | (how.append ? O_APPEND : 0) |
         (how.following ? 0 : O_NOFOLLOW);
}

bool Files::grant(const char* host_path, std::string name, bool changeable) {
  auto file = std::make_shared<OpenFile>();
  file->descriptor = Descriptor(open(host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file->descriptor) return false;
  file->changeable = changeable;
  file->name = std::move(name);
  file->how.directory = granted_.size();
  files_.reserve(files_.size() + 1);
  granted_.push_back(file);
  files_.push_back(std::move(file));
  return true;
}

bool Files::has(const std::string& name) const {
  return std::any_of(granted_.begin(), granted_.end(), [&](const auto& file) { return file->name == name; });
}

OpenFile* Files::find(uint64_t number) const {
  if (number >= files_.size() || files_[number] == nullptr) return nullptr;
  return files_[number]->descriptor ? files_[number].get() : nullptr;
}

int64_t Files::add(std::shared_ptr<OpenFile> file) {
  const auto place = std::find(files_.begin() + first_file, files_.end(), nullptr);
  const int64_t number = place - files_.begin();
  if (place != files_.end()) {
    *place = std::move(file);
  } else {
    if (files_.size() >= first_file + most_files) return -1;
    files_.push_back(std::move(file));
  }
  return number;
}

bool Files::close(uint64_t number) {
  const bool open = is_stream(number) || find(number) != nullptr;
  if (number < files_.size()) files_[number] = number < first_file ? std::make_shared<OpenFile>() : nullptr;
  return open;
}

bool Files::renumber(uint64_t from, uint64_t to) {
  if (find(from) == nullptr || !(is_stream(to) || find(to) != nullptr)) return false;
  if (from == to) return true;
  files_[to] = files_[from];
  return close(from);
}

// ---- in another process ----------------------------------------------------------------------------

SavedFiles Files::saved() const {
  SavedFiles all;
  for (const auto& directory : granted_) all.directories.push_back(directory->name);
  for (uint64_t number = 0; number < files_.size(); ++number) {
    if (files_[number] == nullptr) continue;
    SavedFile saved{.number = number, .kind = SavedFile::lost, .place = 0, .how = {}};
    const OpenFile* const file = find(number);
    if (file != nullptr && !file->name.empty()) {
      saved.kind = SavedFile::granted;
      saved.how.directory = file->how.directory;
    } else if (file != nullptr) {
      const int descriptor = file->descriptor.get();
      const int follow = file->how.following ? 0 : O_NOFOLLOW;
      const int directory = granted_[file->how.directory]->descriptor.get();
      if (leads_to(open_beneath(directory, file->how.path, O_PATH | follow, 0, resolver), descriptor)) {
        saved.kind = kind_of(descriptor);
        saved.how = file->how;
        if (saved.kind == SavedFile::file) saved.place = static_cast<uint64_t>(lseek(descriptor, 0, SEEK_CUR));
      }
    }
    if (saved.kind == SavedFile::lost) saved.how = {};
    all.open.push_back(std::move(saved));
  }
  return all;
}

std::shared_ptr<OpenFile> Files::reopened(const SavedFile& file, const std::shared_ptr<OpenFile>& directory) const {
  if (file.kind == SavedFile::granted && directory != nullptr) return directory;
  auto again = std::make_shared<OpenFile>();
  if (file.kind == SavedFile::lost || directory == nullptr) return again;
  if (file.how.writable && !directory->changeable) return again;
  const int flags = flags_of(file.how) | (file.kind == SavedFile::directory ? O_DIRECTORY : 0);
  Descriptor descriptor = open_beneath(directory->descriptor.get(), file.how.path, flags, 0, resolver);
  if (!descriptor || kind_of(descriptor.get()) != file.kind) return again;
  const auto place = static_cast<off_t>(file.place);
  if (file.kind == SavedFile::file && lseek(descriptor.get(), place, SEEK_SET) < 0) return again;
  again->descriptor = std::move(descriptor);
  again->how = file.how;
  again->how.directory = directory->how.directory;
  again->changeable = directory->changeable;
  return again;
}

Files Files::reopened(const SavedFiles& saved) const {
  Files files;
  files.resolver = resolver;
  files.granted_ = granted_;
  std::vector<std::shared_ptr<OpenFile>> directories;
  for (const std::string& name : saved.directories) {
    const auto is_it = [&](const auto& one) { return one->name == name; };
    const auto found = std::find_if(granted_.begin(), granted_.end(), is_it);
    directories.push_back(found == granted_.end() ? nullptr : *found);
  }
  for (const SavedFile& file : saved.open) {
    if (file.number >= files.files_.size()) files.files_.resize(file.number + 1);
    const bool lost = file.kind == SavedFile::lost;
    files.files_[file.number] = reopened(file, lost ? nullptr : directories[file.how.directory]);
  }
  // Those that the saved machine had not been granted.
  for (const auto& directory : granted_)
    if (std::find(directories.begin(), directories.end(), directory) == directories.end()) files.add(directory);
  return files;
}

Files Files::shared() const {
  const auto copy = [](const OpenFile& file) {
    auto copied = std::make_shared<OpenFile>();
    // Where the process may not open more, the fork's file is closed; as one is that was closed before.
    copied->descriptor = Descriptor(fcntl(file.descriptor.get(), F_DUPFD_CLOEXEC, 0));
    copied->how = file.how;
    copied->changeable = file.changeable;
    copied->name = file.name;
    return copied;
  };
  Files files;
  files.resolver = resolver;
  for (const auto& directory : granted_) files.granted_.push_back(copy(*directory));
  files.files_.resize(files_.size());
  for (size_t number = 0; number < files_.size(); ++number)
    if (const auto& file = files_[number])
      files.files_[number] = file->name.empty() ? copy(*file) : files.granted_[file->how.directory];
  return files;
}

}  // namespace comet
