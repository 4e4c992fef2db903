// Files in granted directories. The order within a call is that of standard.cpp: arguments, the guest's memory, the
// host, the result.
#include "file_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <exception>
#include <new>

#include "../api/in_order.h"
#include "call.h"

namespace comet {
namespace {

// What a call of the system gave; thrown where it ends the host call. See `guarded`.
struct Failed {
  int64_t error;
};
// The guest may not touch what it pointed to, or the host has no memory: `status` is what to return.
struct Stopped {
  comet_status status;
};

[[noreturn]] void give(int64_t error) { throw Failed{error}; }

// A negative result of the system is an error; else it is the result.
int64_t system_result(int64_t value) {
  if (value < 0) give(error_of(errno));
  return value;
}

using Body = int64_t (*)(comet_call*);

template <Body body>
comet_status guarded(comet_call* call, void*) {
  try {
    return result(call, body(call));
  } catch (const Failed& failed) {
    return result(call, failed.error);
  } catch (const Stopped& stopped) {
    return stopped.status;
  } catch (const std::exception&) {
    return comet_call_fail(call, "the host has no memory for files");
  }
}

void need(comet_status status) {
  if (status != COMET_OK) throw Stopped{status};
}

uint64_t argument(comet_call* call, unsigned n) { return comet_call_argument(call, n); }

std::string text_at(comet_call* call, uint64_t address, uint64_t length) {
  if (length > longest_path) give(error_long_name);
  std::string text(static_cast<size_t>(length), '\0');
  if (length != 0) need(comet_call_read(call, address, text.data(), text.size()));
  return text;
}

OpenFile& file_of(comet_call* call, unsigned n) {
  OpenFile* const file = state_of(call).files.find(argument(call, n));
  if (file == nullptr) give(error_bad_stream);
  return *file;
}

// Argument 0, where a stream cannot be meant: it has no places.
OpenFile& file_with_places(comet_call* call) {
  if (state_of(call).files.is_stream(argument(call, 0))) give(error_cannot_seek);
  return file_of(call, 0);
}

bool is_stream(comet_call* call) { return state_of(call).files.is_stream(argument(call, 0)); }

// The directory of argument n, and the path of which the next two are address and length.
struct Place {
  OpenFile& directory;
  std::string path;
};

Place place_of(comet_call* call, unsigned n) {
  OpenFile& directory = file_of(call, n);
  return {directory, text_at(call, argument(call, n + 1), argument(call, n + 2))};
}

// For what changes a name in a directory.
struct Name {
  Descriptor directory;
  std::string name;
};

Name name_to_change(comet_call* call, const Place& place) {
  if (!place.directory.changeable) give(error_read_only);
  auto [directory, name] = parent_beneath(place.directory.descriptor.get(), place.path, state_of(call).files.resolver);
  if (!directory) give(error_of(errno));
  return {std::move(directory), std::move(name)};
}

Descriptor opened(comet_call* call, const Place& place, int flags, mode_t mode = 0) {
  Descriptor descriptor =
      open_beneath(place.directory.descriptor.get(), place.path, flags, mode, state_of(call).files.resolver);
  if (!descriptor) give(error_of(errno));
  return descriptor;
}

// ---- opening and closing ---------------------------------------------------------------------------

enum OpenFlags : uint64_t {
  to_read = 1,
  to_write = 2,
  to_create = 4,
  only_directory = 8,
  exclusively = 16,
  truncated = 32,
  to_append = 64,
  following = 128,
};

int64_t open_file(comet_call* call) {
  const Place place = place_of(call, 0);
  const uint64_t asked = argument(call, 3);
  const bool writes = (asked & to_write) != 0;
  // Systems differ in what they make then.
  if ((asked & to_create) != 0 && (asked & only_directory) != 0) give(error_bad_argument);
  if ((writes || (asked & (to_create | truncated)) != 0) && !place.directory.changeable) give(error_read_only);
  Opening how{.directory = place.directory.how.directory,
              .path = path_in(place.directory, place.path),
              .readable = (asked & to_read) != 0,
              .writable = writes,
              .append = (asked & to_append) != 0,
              .following = (asked & following) != 0};
  int flags = flags_of(how);
  if ((asked & to_create) != 0) flags |= O_CREAT;
  if ((asked & only_directory) != 0) flags |= O_DIRECTORY;
  if ((asked & exclusively) != 0) flags |= O_EXCL;
  if ((asked & truncated) != 0) flags |= O_TRUNC;
  auto file = std::make_shared<OpenFile>();
  file->descriptor = opened(call, place, flags, 0666);
  file->how = std::move(how);
  file->changeable = place.directory.changeable;
  const int64_t number = state_of(call).files.add(std::move(file));
  return number < 0 ? error_too_many_files : number;
}

int64_t close_file(comet_call* call) { return state_of(call).files.close(argument(call, 0)) ? 0 : error_bad_stream; }

int64_t renumber_file(comet_call* call) {
  return state_of(call).files.renumber(argument(call, 0), argument(call, 1)) ? 0 : error_bad_stream;
}

// The name of a granted directory.
int64_t directory_name(comet_call* call) {
  const OpenFile& file = file_of(call, 0);
  if (file.name.empty()) give(error_bad_stream);
  const size_t length = static_cast<size_t>(std::min<uint64_t>(file.name.size(), argument(call, 2)));
  need(comet_call_write(call, argument(call, 1), file.name.data(), length));
  return static_cast<int64_t>(file.name.size());
}

// ---- what is in a file -----------------------------------------------------------------------------

constexpr uint64_t at_once = 65536;

int64_t seek(comet_call* call) {
  const uint64_t whence = argument(call, 2);
  if (whence > 2) give(error_bad_argument);
  constexpr int places[] = {SEEK_SET, SEEK_CUR, SEEK_END};
  return system_result(lseek(file_with_places(call).descriptor.get(), static_cast<off_t>(argument(call, 1)), places[whence]));
}

int64_t read_at(comet_call* call) {
  const OpenFile& file = file_with_places(call);
  if (!file.how.readable) give(error_bad_stream);
  const uint64_t address = argument(call, 1), length = std::min(argument(call, 2), at_once);
  need(host_check(call, address, length, COMET_WRITE));
  std::vector<uint8_t> bytes(static_cast<size_t>(length));
  const int64_t count =
      system_result(pread(file.descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(argument(call, 3))));
  need(comet_call_write(call, address, bytes.data(), static_cast<size_t>(count)));
  return count;
}

int64_t write_at(comet_call* call) {
  const OpenFile& file = file_with_places(call);
  if (!file.how.writable) give(error_bad_stream);
  std::vector<uint8_t> bytes(static_cast<size_t>(std::min(argument(call, 2), at_once)));
  need(comet_call_read(call, argument(call, 1), bytes.data(), bytes.size()));
  return system_result(pwrite(file.descriptor.get(), bytes.data(), bytes.size(), static_cast<off_t>(argument(call, 3))));
}

int64_t set_size(comet_call* call) {
  const OpenFile& file = file_of(call, 0);
  if (!file.how.writable) give(error_bad_stream);
  if (argument(call, 1) > INT64_MAX) give(error_bad_argument);
  return system_result(ftruncate(file.descriptor.get(), static_cast<off_t>(argument(call, 1))));
}

int64_t sync_file(comet_call* call) {
  if (is_stream(call)) return 0;
  const OpenFile& file = file_of(call, 0);
  // A directory or a pipe has nothing that could be synchronised.
  if (fsync(file.descriptor.get()) != 0 && errno != EINVAL) give(error_of(errno));  // beyond tests: a disk has to fail
  return 0;
}

int64_t set_append(comet_call* call) {
  if (is_stream(call)) return 0;
  OpenFile& file = file_of(call, 0);
  const bool append = (argument(call, 1) & to_append) != 0;
  const int flags = fcntl(file.descriptor.get(), F_GETFL);
  system_result(fcntl(file.descriptor.get(), F_SETFL, append ? flags | O_APPEND : flags & ~O_APPEND));
  file.how.append = append;
  return 0;
}

// ---- what is known about a file --------------------------------------------------------------------

// Kinds of files, as WASI counts them.
uint8_t kind_of(mode_t mode) {
  switch (mode & S_IFMT) {  // beyond tests: a block device
    case S_IFBLK: return 1;
    case S_IFCHR: return 2;
    case S_IFDIR: return 3;
    case S_IFREG: return 4;
    case S_IFSOCK: return 6;
    case S_IFLNK: return 7;
    default: return 0;
  }
}

struct stat status_of(int descriptor) {
  struct stat status {};
  system_result(fstat(descriptor, &status));
  return status;
}

void put(uint8_t* place, uint64_t value) {
  for (int i = 0; i < 8; ++i) place[i] = static_cast<uint8_t>(value >> (8 * i));
}

uint64_t nanoseconds(const timespec& time) {
  return static_cast<uint64_t>(time.tv_sec) * 1000000000 + static_cast<uint64_t>(time.tv_nsec);
}

constexpr size_t status_length = 64;

// As WASI has it.
int64_t give_status(comet_call* call, uint64_t address, const struct stat& status) {
  uint8_t bytes[status_length] = {};
  put(bytes, status.st_dev);
  put(bytes + 8, status.st_ino);
  bytes[16] = kind_of(status.st_mode);
  put(bytes + 24, status.st_nlink);
  put(bytes + 32, static_cast<uint64_t>(status.st_size));
  put(bytes + 40, nanoseconds(status.st_atim));
  put(bytes + 48, nanoseconds(status.st_mtim));
  put(bytes + 56, nanoseconds(status.st_ctim));
  need(comet_call_write(call, address, bytes, sizeof bytes));
  return 0;
}

// A stream is a character device where somebody sits at a terminal, or where the embedder serves it.
int64_t stream_flags(comet_call* call, uint64_t number) {
  const int descriptor = state_of(call).streams[static_cast<size_t>(number)];
  if (descriptor == COMET_STREAM_NONE) give(error_bad_stream);
  constexpr int64_t character_device = 2;
  int64_t kind = character_device;
  if (descriptor != COMET_STREAM_EMBEDDER && isatty(descriptor) == 0) {
    kind = kind_of(status_of(descriptor).st_mode);
    if (kind == character_device) kind = 0;
  }
  return kind << 8 | (number == 0 ? to_read : to_write);
}

// Of a stream only the kind: the rest is the host's own.
int64_t file_status(comet_call* call) {
  if (!is_stream(call)) return give_status(call, argument(call, 1), status_of(file_of(call, 0).descriptor.get()));
  uint8_t bytes[status_length] = {};
  bytes[16] = static_cast<uint8_t>(stream_flags(call, argument(call, 0)) >> 8);
  bytes[24] = 1;
  need(comet_call_write(call, argument(call, 1), bytes, sizeof bytes));
  return 0;
}

// What a stream or an open file is and may, without touching memory: the kind above the flags it was opened with.
int64_t file_flags(comet_call* call) {
  if (is_stream(call)) return stream_flags(call, argument(call, 0));
  const OpenFile& file = file_of(call, 0);
  const int64_t kind = kind_of(status_of(file.descriptor.get()).st_mode);
  return kind << 8 | (file.how.readable ? int64_t{to_read} : 0) | (file.how.writable ? int64_t{to_write} : 0) |
         (file.how.append ? int64_t{to_append} : 0);
}

int64_t path_status(comet_call* call) {
  const Place place = place_of(call, 0);
  need(host_check(call, argument(call, 4), status_length, COMET_WRITE));
  const bool follow = (argument(call, 3) & following) != 0;
  const Descriptor file = opened(call, place, O_PATH | (follow ? 0 : O_NOFOLLOW));
  return give_status(call, argument(call, 4), status_of(file.get()));
}

constexpr uint64_t set_access = 1, access_now = 2, set_change = 4, change_now = 8;

timespec time_of(uint64_t time, bool set, bool now) {
  constexpr uint64_t second = 1000000000;
  if (now) return {0, UTIME_NOW};
  if (!set) return {0, UTIME_OMIT};
  return {static_cast<time_t>(time / second), static_cast<long>(time % second)};
}

int64_t set_times(comet_call* call, int descriptor, const char* name, int how, unsigned n) {
  const uint64_t flags = argument(call, n + 2);
  for (const uint64_t both : {set_access | access_now, set_change | change_now})
    if ((flags & both) == both) give(error_bad_argument);
  const timespec times[] = {time_of(argument(call, n), (flags & set_access) != 0, (flags & access_now) != 0),
                            time_of(argument(call, n + 1), (flags & set_change) != 0, (flags & change_now) != 0)};
  return system_result(name == nullptr ? futimens(descriptor, times) : utimensat(descriptor, name, times, how));
}

int64_t set_file_times(comet_call* call) {
  const OpenFile& file = file_of(call, 0);
  if (!file.how.writable && !file.changeable) give(error_read_only);
  return set_times(call, file.descriptor.get(), nullptr, 0, 1);
}

int64_t set_path_times(comet_call* call) {
  const Place place = place_of(call, 0);
  if (!place.directory.changeable) give(error_read_only);
  const bool follow = (argument(call, 3) & following) != 0;
  // What the path leads to is found beneath the directory first: times are set on that, whatever happens to the path.
  const Descriptor file = opened(call, place, O_PATH | (follow ? 0 : O_NOFOLLOW));
  return set_times(call, file.get(), "", AT_EMPTY_PATH, 4);
}

// ---- directories -----------------------------------------------------------------------------------

constexpr size_t entry_head = 24;
constexpr size_t longest_listing = size_t{16} << 20;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Reads a directory anew: entries by name, so that their order does not depend on the host.
void list(OpenFile& file) {
  Descriptor again_opened(openat(file.descriptor.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again_opened) give(error_of(errno));
  const std::unique_ptr<DIR, CloseDirectory> directory(fdopendir(again_opened.get()));
  if (!directory) give(error_of(errno));  // beyond tests: the system's own memory has to end
  again_opened.release();
  struct Entry {
    std::string name;
    uint64_t inode;
    uint8_t kind;
  };
  std::vector<Entry> entries;
  size_t length = 0;
  while (const dirent* found = readdir(directory.get())) {
    entries.push_back({found->d_name, found->d_ino, kind_of(DTTOIF(found->d_type))});
    length += entry_head + entries.back().name.size();
    if (length > longest_listing) give(error_no_memory);  // beyond tests: takes a directory of 16 MB
  }
  file.listing.clear();
  file.entries.clear();
  for (const size_t n : in_order(entries.size(), [&](size_t a, size_t b) { return entries[a].name < entries[b].name; })) {
    const Entry& entry = entries[n];
    uint8_t head[entry_head] = {};
    file.entries.push_back(file.listing.size());
    put(head, file.entries.size());
    put(head + 8, entry.inode);
    put(head + 16, entry.name.size() | uint64_t{entry.kind} << 32);
    file.listing.insert(file.listing.end(), head, head + entry_head);
    file.listing.insert(file.listing.end(), entry.name.begin(), entry.name.end());
  }
}

int64_t list_directory(comet_call* call) {
  OpenFile& file = file_of(call, 0);
  const uint64_t address = argument(call, 1), room = std::min<uint64_t>(argument(call, 2), longest_listing);
  const uint64_t from = argument(call, 3);
  need(host_check(call, address, room, COMET_WRITE));
  if (from == 0 || file.entries.empty()) list(file);
  if (from >= file.entries.size()) return 0;
  const size_t begin = file.entries[static_cast<size_t>(from)];
  const size_t length = std::min(static_cast<size_t>(room), file.listing.size() - begin);
  need(comet_call_write(call, address, file.listing.data() + begin, length));
  return static_cast<int64_t>(length);
}

// ---- names -----------------------------------------------------------------------------------------

int64_t make_directory(comet_call* call) {
  const Name name = name_to_change(call, place_of(call, 0));
  return system_result(mkdirat(name.directory.get(), name.name.c_str(), 0777));
}

int64_t remove_directory(comet_call* call) {
  const Name name = name_to_change(call, place_of(call, 0));
  return system_result(unlinkat(name.directory.get(), name.name.c_str(), AT_REMOVEDIR));
}

int64_t remove_file(comet_call* call) {
  const Name name = name_to_change(call, place_of(call, 0));
  return system_result(unlinkat(name.directory.get(), name.name.c_str(), 0));
}

int64_t rename_path(comet_call* call) {
  const Name from = name_to_change(call, place_of(call, 0)), to = name_to_change(call, place_of(call, 3));
  return system_result(renameat(from.directory.get(), from.name.c_str(), to.directory.get(), to.name.c_str()));
}

// A second name for a file would make it writable that is in a directory for reading: so both have to be changeable.
int64_t link_path(comet_call* call) {
  const Name from = name_to_change(call, place_of(call, 0)), to = name_to_change(call, place_of(call, 3));
  // The system would follow a symbolic link there.
  if (from.name.back() == '/') give(error_not_directory);
  return system_result(linkat(from.directory.get(), from.name.c_str(), to.directory.get(), to.name.c_str(), 0));
}

// The guest itself could not follow a link that leads out; but others who come by could.
bool stays_beneath(const std::string& target) {
  return !target.empty() && target.front() != '/' && target.find('\0') == target.npos &&
         ("/" + target + "/").find("/../") == target.npos;
}

int64_t make_symbolic_link(comet_call* call) {
  const std::string target = text_at(call, argument(call, 3), argument(call, 4));
  const Name name = name_to_change(call, place_of(call, 0));
  if (!stays_beneath(target)) give(error_not_permitted);
  return system_result(symlinkat(target.c_str(), name.directory.get(), name.name.c_str()));
}

int64_t read_symbolic_link(comet_call* call) {
  const Place place = place_of(call, 0);
  const uint64_t address = argument(call, 3), room = std::min(argument(call, 4), at_once);
  need(host_check(call, address, room, COMET_WRITE));
  const Descriptor link = opened(call, place, O_PATH | O_NOFOLLOW);
  if (!S_ISLNK(status_of(link.get()).st_mode)) give(error_bad_argument);
  char target[longest_path];
  const int64_t length = system_result(readlinkat(link.get(), "", target, sizeof target));
  const size_t given = static_cast<size_t>(std::min<uint64_t>(static_cast<uint64_t>(length), room));
  need(comet_call_write(call, address, target, given));
  return static_cast<int64_t>(given);
}

}  // namespace

const std::array<FileCall, 23> file_calls = {{
    {"file_open", guarded<open_file>},
    {"file_close", guarded<close_file>},
    {"file_renumber", guarded<renumber_file>},
    {"file_seek", guarded<seek>},
    {"file_read_at", guarded<read_at>},
    {"file_write_at", guarded<write_at>},
    {"file_set_size", guarded<set_size>},
    {"file_sync", guarded<sync_file>},
    {"file_set_append", guarded<set_append>},
    {"file_flags", guarded<file_flags>},
    {"file_status", guarded<file_status>},
    {"file_set_times", guarded<set_file_times>},
    {"dir_name", guarded<directory_name>},
    {"dir_list", guarded<list_directory>},
    {"path_status", guarded<path_status>},
    {"path_set_times", guarded<set_path_times>},
    {"path_make_dir", guarded<make_directory>},
    {"path_remove_dir", guarded<remove_directory>},
    {"path_remove", guarded<remove_file>},
    {"path_rename", guarded<rename_path>},
    {"path_link", guarded<link_path>},
    {"path_make_link", guarded<make_symbolic_link>},
    {"path_read_link", guarded<read_symbolic_link>},
}};

}  // namespace comet
