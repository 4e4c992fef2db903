// Files in granted directories: what a program can do with them, and that nothing leads out of a directory.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>

#include "state_files.h"
#include "vm-ext/host/beneath.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

using values = std::initializer_list<std::uint64_t>;

constexpr std::uint64_t to_read = 1, to_write = 2, to_create = 4, directory = 8, exclusively = 16, truncated = 32, appending = 64,
                        follow = 128;
constexpr std::uint64_t granted = 3, readable = 4;
constexpr std::uint64_t path = data_address, second_path = data_address + 0x100, buffer = data_address + 0x200;

// A folder with `inside`, which is granted for everything, `readable`, for reading, and a secret beside them.
struct Guest {
  fs::path root;
  machine vm;

  Guest() : root(folder()), vm(code().add("hcall", {10, 0}).add("halt")) {
    fs::create_directories(root / "inside/deep");
    fs::create_directories(root / "readable");
    std::ofstream(root / "secret") << "secret";
    std::ofstream(root / "inside/hello") << "hello, world";
    std::ofstream(root / "readable/page") << "page";
    fs::create_symlink("../secret", root / "inside/out");
    fs::create_symlink(root / "secret", root / "inside/absolute");
    fs::create_symlink("hello", root / "inside/link");
    SUPPORT_OK(comet_grant_directory(vm, (root / "inside").c_str(), "/inside", COMET_READ | COMET_WRITE, error));
    SUPPORT_OK(comet_grant_directory(vm, (root / "readable").c_str(), "/readable", COMET_READ, error));
  }
  // Another process, which goes on from a state and gives a program what it was given there, or some of it.
  struct Grant {
    const char* directory;
    const char* name;
    int access;
  };
  Guest(const fs::path& elsewhere, const bytes& file, std::initializer_list<Grant> grants) : vm(code().add("halt")) {
    for (const auto& [directory, name, access] : grants)
      SUPPORT_OK(comet_grant_directory(vm, (elsewhere / directory).c_str(), name, access, error));
    SUPPORT_OK(comet_state_restore(vm, state(file), error));
  }
  ~Guest() {
    if (!root.empty()) fs::remove_all(root);
  }

  static fs::path folder() {
    std::string name = (fs::temp_directory_path() / "comet-files-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    return name;
  }
  void put(std::uint64_t address, const std::string& text) { vm.write(address, bytes(text.begin(), text.end())); }
  std::string get(std::uint64_t address, std::size_t length) {
    const bytes content = vm.read(address, length);
    return {content.begin(), content.end()};
  }
  // The result of a host call that is served. Each has a machine of its own program, so the import list is set anew.
  comet_stop start(const char* name, values arguments) {
    const std::uint64_t index = vm.import(name);
    code program;
    vm.load(program.add("hcall", {10, index}).add("halt"));
    vm.restart(code_address);
    std::uint64_t at = 11;
    for (const std::uint64_t argument : arguments) vm.set(at++, argument);
    return vm.run();
  }
  std::int64_t call(const char* name, values arguments) {
    const comet_stop stop = start(name, arguments);
    BOOST_CHECK_MESSAGE(stop.reason == COMET_HALTED, name << ": " << stop.message);
    return static_cast<std::int64_t>(vm.get(11));
  }
  std::int64_t open(const std::string& name, std::uint64_t flags, std::uint64_t in = granted) {
    put(path, name);
    return call("file_open", {in, path, name.size(), flags});
  }
  // A call of a directory and a path.
  std::int64_t on(const char* name, const std::string& where, std::uint64_t in = granted) {
    put(path, where);
    return call(name, {in, path, where.size()});
  }
  std::int64_t both(const char* name, const std::string& from, const std::string& to, std::uint64_t in = granted) {
    put(path, from);
    put(second_path, to);
    return call(name, {in, path, from.size(), granted, second_path, to.size()});
  }
  std::uint64_t size_of(const std::string& name) { return fs::file_size(root / name); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(a_program_sees_what_it_was_granted) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.call("dir_name", {granted, buffer, 100}), 7);
  BOOST_CHECK_EQUAL(guest.get(buffer, 7), "/inside");
  BOOST_CHECK_EQUAL(guest.call("dir_name", {readable, buffer, 0}), 9);
  BOOST_CHECK_EQUAL(guest.call("dir_name", {readable + 1, buffer, 100}), -9);
  BOOST_CHECK_EQUAL(guest.call("dir_name", {0, buffer, 100}), -9);
}

BOOST_AUTO_TEST_CASE(files_are_read_and_written) {
  Guest guest;
  BOOST_REQUIRE_EQUAL(guest.open("hello", to_read | to_write), 5);
  BOOST_CHECK_EQUAL(guest.call("dir_name", {5, buffer, 100}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {5}), 4 << 8 | 3);
  BOOST_CHECK_EQUAL(guest.call("read", {5, buffer, 5}), 5);
  BOOST_CHECK_EQUAL(guest.get(buffer, 5), "hello");
  BOOST_CHECK_EQUAL(guest.call("file_seek", {5, 0, 1}), 5);
  BOOST_CHECK_EQUAL(guest.call("file_seek", {5, std::uint64_t(-2), 2}), 10);
  BOOST_CHECK_EQUAL(guest.call("file_seek", {5, 0, 3}), -22);
  BOOST_CHECK_EQUAL(guest.call("write", {5, buffer, 5}), 5);
  BOOST_CHECK_EQUAL(guest.call("file_read_at", {5, buffer, 100, 7}), 8);
  BOOST_CHECK_EQUAL(guest.get(buffer, 8), "worhello");
  BOOST_CHECK_EQUAL(guest.call("file_write_at", {5, buffer, 3, 0}), 3);
  BOOST_CHECK_EQUAL(guest.call("file_set_size", {5, 6}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_set_size", {5, UINT64_MAX}), -22);
  BOOST_CHECK_EQUAL(guest.call("file_sync", {5}), 0);
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 6u);
  BOOST_CHECK_EQUAL(guest.call("file_set_append", {5, appending}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {5}), 4 << 8 | 64 | 3);
  guest.call("file_seek", {5, 0, 0});
  BOOST_CHECK_EQUAL(guest.call("write", {5, buffer, 1}), 1);
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 7u);
  BOOST_CHECK_EQUAL(guest.call("file_set_append", {5, 0}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_close", {5}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_close", {5}), -9);
  BOOST_CHECK_EQUAL(guest.call("read", {5, buffer, 5}), -9);
}

BOOST_AUTO_TEST_CASE(streams_tell_what_they_lead_to) {
  Guest guest;
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe(ends), 0);
  const int null = ::open("/dev/null", O_RDWR), file = ::open((guest.root / "secret").c_str(), O_RDONLY);
  for (const auto& [descriptor, kind] : {std::pair{ends[0], 0}, {null, 0}, {file, 4}, {COMET_STREAM_EMBEDDER, 2}}) {
    SUPPORT_OK(comet_set_stream(guest.vm, 0, descriptor, error));
    BOOST_CHECK_EQUAL(guest.call("file_flags", {0}), kind << 8 | 1);
  }
  SUPPORT_OK(comet_set_stream(guest.vm, 1, ends[1], error));
  BOOST_CHECK_EQUAL(guest.call("file_flags", {1}), 2);
  SUPPORT_OK(comet_set_stream(guest.vm, 1, COMET_STREAM_NONE, error));
  BOOST_CHECK_EQUAL(guest.call("file_flags", {1}), -9);
  for (const int descriptor : {ends[0], ends[1], null, file}) close(descriptor);
}

BOOST_AUTO_TEST_CASE(each_kind_of_file_is_told) {
  Guest guest;
  BOOST_REQUIRE_EQUAL(mkfifo((guest.root / "inside/fifo").c_str(), 0600), 0);
  const int bound = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{AF_UNIX, {}};
  std::strncpy(name.sun_path, (guest.root / "inside/socket").c_str(), sizeof name.sun_path - 1);
  BOOST_REQUIRE_EQUAL(bind(bound, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
  for (const auto& [file, kind] : {std::pair{"hello", 4}, {"deep", 3}, {"link", 7}, {"fifo", 0}, {"socket", 6}}) {
    guest.put(path, file);
    BOOST_CHECK_EQUAL(guest.call("path_status", {granted, path, std::strlen(file), 0, buffer}), 0);
    BOOST_CHECK_EQUAL(guest.vm.read(buffer + 16, 1)[0], kind);
  }
  close(bound);
  // A pipe has nothing to be synchronised, and no places.
  BOOST_CHECK_EQUAL(guest.open("fifo", to_read), 5);
  BOOST_CHECK_EQUAL(guest.call("file_sync", {5}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_seek", {5, 0, 0}), -29);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  BOOST_REQUIRE(terminal >= 0 && unlockpt(terminal) == 0);
  const int user = ::open(ptsname(terminal), O_RDWR | O_NOCTTY);
  SUPPORT_OK(comet_set_stream(guest.vm, 0, user, error));
  BOOST_CHECK_EQUAL(guest.call("file_flags", {0}), 2 << 8 | 1);
  close(user);
  close(terminal);
}

BOOST_AUTO_TEST_CASE(what_is_no_name_is_not_made) {
  Guest guest;
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("deep/.."), std::string("a\0b", 3)})
    for (const char* call : {"path_make_dir", "path_remove_dir", "path_remove"}) BOOST_CHECK_EQUAL(guest.on(call, name), -22);
  for (const std::string& target : {std::string(), std::string("/x"), std::string(".."), std::string("a/../../b"), std::string("a\0b", 3)}) {
    guest.put(path, "made");
    guest.put(second_path, target);
    BOOST_CHECK_EQUAL(guest.call("path_make_link", {granted, path, 4, second_path, target.size()}), -1);
  }
  BOOST_CHECK(!fs::exists(fs::symlink_status(guest.root / "inside/made")));
  // A link is read as far as there is room.
  guest.put(path, "link");
  BOOST_CHECK_EQUAL(guest.call("path_read_link", {granted, path, 4, buffer, 2}), 2);
  BOOST_CHECK_EQUAL(guest.get(buffer, 3), std::string("he\0", 3));
  // A directory that is gone has no entries.
  BOOST_CHECK_EQUAL(guest.open("deep", to_read | directory), 5);
  BOOST_CHECK_EQUAL(guest.on("path_remove_dir", "deep"), 0);
  BOOST_CHECK_LE(guest.call("dir_list", {5, buffer, 100, 0}), 0);
}

BOOST_AUTO_TEST_CASE(files_are_opened_as_asked) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.open("new", to_read), -2);
  BOOST_CHECK_EQUAL(guest.open("new", to_write | to_create), 5);
  BOOST_CHECK_EQUAL(guest.open("new", to_write | to_create | exclusively), -17);
  BOOST_CHECK_EQUAL(guest.open("hello", to_read | directory), -20);
  BOOST_CHECK_EQUAL(guest.open("deep", to_write), -21);
  BOOST_CHECK_EQUAL(guest.open("link", to_read), -40);
  BOOST_CHECK_EQUAL(guest.open("link", to_read | follow), 6);
  BOOST_CHECK_EQUAL(guest.open("hello", to_write | truncated | appending), 7);
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 0u);
  // What was not opened in a direction does not go in it.
  BOOST_CHECK_EQUAL(guest.call("read", {5, buffer, 5}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_read_at", {5, buffer, 5, 0}), -9);
  BOOST_CHECK_EQUAL(guest.call("write", {6, buffer, 5}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_write_at", {6, buffer, 5, 0}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_set_size", {6, 5}), -9);
  // The lowest number that is free; one file in the place of another.
  BOOST_CHECK_EQUAL(guest.call("file_close", {6}), 0);
  BOOST_CHECK_EQUAL(guest.open("hello", to_read), 6);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {7, 6}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {6, 6}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {7, 6}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {6}), 4 << 8 | 64 | 2);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {7}), -9);
}

BOOST_AUTO_TEST_CASE(no_more_files_than_the_limit_are_open) {
  Guest guest;
  for (std::int64_t number = 5; number < 3 + 256; ++number) BOOST_REQUIRE_EQUAL(guest.open("hello", to_read), number);
  BOOST_CHECK_EQUAL(guest.open("hello", to_read), -24);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(guest.vm, "/", "/", COMET_READ, error));
}

BOOST_AUTO_TEST_CASE(nothing_leads_out_of_a_directory) {
  for (const comet::Resolver resolver : {comet::host_resolver(), comet::Resolver::walk}) {
    Guest guest;
    const comet::Descriptor inside(::open((guest.root / "inside").c_str(), O_RDONLY | O_DIRECTORY));
    const auto opens = [&](const std::string& name, int flags = O_RDONLY) {
      return comet::open_beneath(inside.get(), name, flags, 0600, resolver) ? 0 : errno;
    };
    for (const char* out : {"..", "../secret", "deep/../../secret", "/etc/passwd", "../inside/hello"})
      BOOST_CHECK_EQUAL(opens(out), EPERM);
    for (const char* out : {"out", "absolute"}) BOOST_CHECK_NE(opens(out), 0);
    BOOST_CHECK_NE(opens("../made", O_WRONLY | O_CREAT), 0);
    fs::create_directories(guest.root / "inside/deep/er/est");
    for (const char* in : {"hello", "./hello", "deep/../hello", ".", "deep//.", "deep", "deep/er/est"}) BOOST_CHECK_EQUAL(opens(in), 0);
    BOOST_CHECK_EQUAL(opens("deep/none/est"), ENOENT);
    BOOST_CHECK_EQUAL(opens("link") == 0, resolver == comet::Resolver::kernel);
    BOOST_CHECK_EQUAL(opens("none/hello"), ENOENT);
    BOOST_CHECK_EQUAL(opens("hello/more"), ENOTDIR);
    BOOST_CHECK_EQUAL(opens(""), ENOENT);
    BOOST_CHECK_EQUAL(opens(std::string("hello\0x", 7)), EINVAL);
    BOOST_CHECK_EQUAL(opens(std::string(4097, 'x')), ENAMETOOLONG);
    for (const char* name : {"", ".", "..", "deep/..", "/"}) {
      BOOST_CHECK(!comet::parent_beneath(inside.get(), name, resolver).first);
      BOOST_CHECK_EQUAL(errno, EINVAL);
    }
    BOOST_CHECK(!comet::parent_beneath(inside.get(), "../secret", resolver).first);
    BOOST_CHECK(!comet::parent_beneath(inside.get(), "/etc/passwd", resolver).first);
    BOOST_CHECK_EQUAL(comet::parent_beneath(inside.get(), "deep/new//", resolver).second, "new/");
    BOOST_CHECK_EQUAL(opens("hello/"), ENOTDIR);
    BOOST_CHECK_EQUAL(opens("made/", O_WRONLY | O_CREAT), EISDIR);
    BOOST_CHECK_EQUAL(opens("deep/"), 0);
  }
}

BOOST_AUTO_TEST_CASE(nor_does_any_call) {
  Guest guest;
  for (const char* out : {"../secret", "/etc/passwd", "deep/../../secret"}) {
    BOOST_CHECK_EQUAL(guest.open(out, to_read), -1);
    for (const char* name : {"path_remove", "path_make_dir", "path_remove_dir"}) BOOST_CHECK_EQUAL(guest.on(name, out), -1);
    for (const char* name : {"path_rename", "path_link"}) {
      BOOST_CHECK_EQUAL(guest.both(name, out, "new"), -1);
      BOOST_CHECK_EQUAL(guest.both(name, "hello", out), -1);
    }
    guest.put(path, out);
    BOOST_CHECK_EQUAL(guest.call("path_status", {granted, path, std::strlen(out), follow, buffer}), -1);
    BOOST_CHECK_EQUAL(guest.call("path_set_times", {granted, path, std::strlen(out), follow, 0, 0, 2}), -1);
    BOOST_CHECK_EQUAL(guest.call("path_read_link", {granted, path, std::strlen(out), buffer, 100}), -1);
    // A link that leads out is not made: others might follow it.
    guest.put(second_path, out);
    guest.put(path, "evil");
    BOOST_CHECK_EQUAL(guest.call("path_make_link", {granted, path, 4, second_path, std::strlen(out)}), -1);
  }
  BOOST_CHECK_EQUAL(guest.open("out", to_read | follow), -1);
  BOOST_CHECK_EQUAL(guest.open("absolute", to_write | truncated | follow), -1);
  BOOST_CHECK_EQUAL(guest.size_of("secret"), 6u);
}

BOOST_AUTO_TEST_CASE(what_is_granted_for_reading_is_not_changed) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.open("page", to_read, readable), 5);
  for (const std::uint64_t flags : {to_write, to_read | to_create, to_read | truncated})
    BOOST_CHECK_EQUAL(guest.open("page", flags, readable), -30);
  for (const char* name : {"path_remove", "path_make_dir", "path_remove_dir"})
    BOOST_CHECK_EQUAL(guest.on(name, "page", readable), -30);
  for (const char* name : {"path_rename", "path_link"}) BOOST_CHECK_EQUAL(guest.both(name, "page", "mine", readable), -30);
  BOOST_CHECK_EQUAL(guest.call("path_set_times", {readable, path, 4, 0, 0, 0, 2}), -30);
  BOOST_CHECK_EQUAL(guest.call("path_make_link", {readable, path, 4, path, 4}), -30);
  BOOST_CHECK_EQUAL(guest.call("file_set_times", {5, 0, 0, 2}), -30);
  // A directory that is opened in it is not changed either.
  BOOST_CHECK_EQUAL(guest.open(".", to_read | directory, readable), 6);
  BOOST_CHECK_EQUAL(guest.on("path_remove", "page", 6), -30);
}

// What a slash stands behind has to be a directory, and is no symbolic link.
BOOST_AUTO_TEST_CASE(a_slash_behind_a_name_means_a_directory) {
  Guest guest;
  fs::create_directory_symlink("deep", guest.root / "inside/to-deep");
  BOOST_CHECK_EQUAL(guest.on("path_remove", "hello/"), -20);
  BOOST_CHECK_LT(guest.on("path_remove", "deep/"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_remove", "to-deep/"), -20);
  BOOST_CHECK_EQUAL(guest.on("path_remove_dir", "to-deep/"), -20);
  BOOST_CHECK_EQUAL(guest.both("path_rename", "hello/", "other"), -20);
  BOOST_CHECK_EQUAL(guest.both("path_rename", "hello", "other/"), -20);
  BOOST_CHECK_EQUAL(guest.both("path_link", "hello/", "other"), -20);
  BOOST_CHECK_LT(guest.both("path_link", "hello", "other/"), 0);
  BOOST_CHECK_EQUAL(guest.both("path_rename", "deep/", "deeper/"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_remove_dir", "deeper/"), 0);
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 12u);
}

BOOST_AUTO_TEST_CASE(what_contradicts_itself_is_refused) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.open("new", to_read | to_create | directory), -22);
  BOOST_CHECK(!fs::exists(guest.root / "inside/new"));
  BOOST_CHECK_EQUAL(guest.open("hello", to_write), 5);
  for (const std::uint64_t which : {3, 12}) BOOST_CHECK_EQUAL(guest.call("file_set_times", {5, 0, 0, which}), -22);
  guest.put(path, "hello");
  BOOST_CHECK_EQUAL(guest.call("path_read_link", {granted, path, 5, buffer, 100}), -22);
}

BOOST_AUTO_TEST_CASE(streams_are_closed_and_replaced) {
  Guest guest;
  SUPPORT_OK(comet_set_stream(guest.vm, 1, COMET_STREAM_EMBEDDER, error));
  for (const char* name : {"file_seek", "file_read_at", "file_write_at"}) BOOST_CHECK_EQUAL(guest.call(name, {1, 0, 0}), -29);
  for (const char* name : {"file_sync", "file_set_append"}) BOOST_CHECK_EQUAL(guest.call(name, {1, appending}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_status", {1, buffer}), 0);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 16), 2u);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 24), 1u);
  // As freopen does it.
  BOOST_CHECK_EQUAL(guest.open("hello", to_write), 5);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {5, 99}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {5, 1}), 0);
  BOOST_CHECK_EQUAL(guest.call("write", {1, path, 2}), 2);
  BOOST_CHECK_EQUAL(guest.call("file_seek", {1, 0, 1}), 2);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {1}), 4 << 8 | 2);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {5}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_close", {1}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_close", {0}), 0);
  for (const std::uint64_t closed : {0u, 1u})
    for (const char* name : {"read", "write", "file_flags", "file_status", "file_close", "file_sync"})
      BOOST_CHECK_EQUAL(guest.call(name, {closed, buffer, 2}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_renumber", {1, 1}), -9);
  // Whoever opens something does not get these numbers.
  BOOST_CHECK_EQUAL(guest.open("hello", to_read), 5);
  SUPPORT_OK(comet_close_files(guest.vm, error));
  BOOST_CHECK_EQUAL(guest.call("file_flags", {5}), -9);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {1}), 2 << 8 | 2);
  BOOST_CHECK_EQUAL(guest.call("file_flags", {granted}), 3 << 8 | 1);
}

BOOST_AUTO_TEST_CASE(names_are_made_moved_and_removed) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.on("path_make_dir", "made/"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_make_dir", "made"), -17);
  BOOST_CHECK_EQUAL(guest.both("path_rename", "hello", "made/hello"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_remove_dir", "made"), -39);
  BOOST_CHECK_EQUAL(guest.both("path_link", "made/hello", "again"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_remove", "made/hello"), 0);
  BOOST_CHECK_EQUAL(guest.on("path_remove", "made/hello"), -2);
  BOOST_CHECK_EQUAL(guest.on("path_remove_dir", "made"), 0);
  guest.put(path, "soft");
  guest.put(second_path, "again");
  BOOST_CHECK_EQUAL(guest.call("path_make_link", {granted, path, 4, second_path, 5}), 0);
  BOOST_CHECK_EQUAL(guest.call("path_read_link", {granted, path, 4, buffer, 100}), 5);
  BOOST_CHECK_EQUAL(guest.get(buffer, 5), "again");
  BOOST_CHECK_EQUAL(guest.call("path_status", {granted, path, 4, 0, buffer}), 0);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 16), 7u);
  BOOST_CHECK_EQUAL(guest.call("path_status", {granted, path, 4, follow, buffer}), 0);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 16), 4u);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 32), 12u);
  BOOST_CHECK_EQUAL(guest.call("path_set_times", {granted, path, 4, follow, 5000000001, 7000000002, 5}), 0);
  BOOST_CHECK_EQUAL(guest.call("path_status", {granted, path, 4, follow, buffer}), 0);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 40), 5000000001u);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 48), 7000000002u);
  const std::int64_t file = guest.open("again", to_write);
  BOOST_CHECK_EQUAL(guest.call("file_set_times", {std::uint64_t(file), 0, 9, 4}), 0);
  BOOST_CHECK_EQUAL(guest.call("file_status", {std::uint64_t(file), buffer}), 0);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 40), 5000000001u);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 48), 9u);
  BOOST_CHECK_EQUAL(guest.call("file_set_times", {std::uint64_t(file), 0, 0, 8}), 0);
}

BOOST_AUTO_TEST_CASE(directories_are_listed_by_name) {
  Guest guest;
  const std::int64_t all = guest.call("dir_list", {granted, buffer, 1000, 0});
  std::string names;
  std::uint64_t from = 0;
  for (std::int64_t at = 0; at < all;) {
    const std::uint64_t entry = buffer + std::uint64_t(at);
    from = guest.vm.read_word(entry);
    const std::uint64_t length = guest.vm.read_word(entry + 16) & 0xffffffff;
    names += guest.get(entry + 24, length) + " ";
    at += 24 + std::int64_t(length);
  }
  BOOST_CHECK_EQUAL(names, ". .. absolute deep hello link out ");
  BOOST_CHECK_EQUAL(guest.call("dir_list", {granted, buffer, 1000, from}), 0);
  BOOST_CHECK_EQUAL(guest.call("dir_list", {granted, buffer, 10, 1}), 10);
  BOOST_CHECK_EQUAL(guest.open("hello", to_read), 5);
  BOOST_CHECK_EQUAL(guest.call("dir_list", {5, buffer, 100, 0}), -20);
}

BOOST_AUTO_TEST_CASE(a_bad_pointer_traps_before_anything_is_done) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.start("file_open", {granted, 0x999000, 4, to_read}).trap, COMET_TRAP_READ);
  guest.open("hello", to_read | to_write);
  BOOST_CHECK_EQUAL(guest.start("file_read_at", {5, 0x999000, 4, 0}).trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(guest.start("file_write_at", {5, 0x999000, 4, 0}).trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(guest.start("file_status", {5, 0x999000}).trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(guest.start("poll", {0x999000, buffer, 1}).trap, COMET_TRAP_READ);
  BOOST_CHECK_EQUAL(guest.start("poll", {buffer, 0x999000, 1}).trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(guest.call("path_remove", {granted, path, 5000}), -36);
}

BOOST_AUTO_TEST_CASE(what_is_granted_has_a_name_of_its_own) {
  machine vm;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(vm, "/", "", COMET_READ, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(vm, "/", "/", COMET_WRITE, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(vm, "/nowhere/at/all", "/", COMET_READ, error));
  SUPPORT_OK(comet_grant_directory(vm, "/", "/", COMET_READ, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_grant_directory(vm, "/", "/", COMET_READ, error));
}

BOOST_AUTO_TEST_CASE(a_fork_has_the_files_of_its_original) {
  Guest guest;
  guest.open("hello", to_read);
  guest.open("hello", to_read);
  guest.call("file_close", {5});
  guest.call("read", {6, buffer, 5});
  comet_machine* forked = nullptr;
  SUPPORT_OK(comet_machine_fork(guest.vm, nullptr, &forked, error));
  machine other(forked);
  const auto read = [&](std::uint64_t file) {
    other.restart(code_address);
    for (const auto& [index, value] : {std::pair{11u, file}, {12u, buffer}, {13u, std::uint64_t{100}}}) other.set(index, value);
    return other.run();
  };
  // What stands at code_address is the original's last call.
  BOOST_CHECK_EQUAL(read(6).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(other.get(11), 7u);
  read(5);
  BOOST_CHECK_EQUAL(static_cast<std::int64_t>(other.get(11)), -9);
  BOOST_CHECK_EQUAL(guest.call("read", {6, buffer, 100}), 0);
}

// ---- states in files --------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_state_opens_its_files_again) {
  Guest guest;
  guest.open("hello", to_read | to_write);                    // 5
  guest.call("read", {5, buffer, 7});
  guest.open("deep", to_read | directory);                    // 6
  guest.put(path, "below");
  guest.call("file_open", {6, path, 5, to_write | to_create | exclusively | truncated | appending});  // 7, in 6
  guest.call("write", {7, path, 5});
  guest.open("page", to_read, readable);                      // 8
  guest.open("link", to_read | follow);                       // 9
  guest.call("file_renumber", {8, 1});
  guest.call("file_close", {2});
  const bytes file = saved(guest.vm);
  const state read(file);
  BOOST_CHECK_EQUAL(std::string(comet_state_directory(read, 1)), "/readable");
  BOOST_CHECK(comet_state_directory(read, 2) == nullptr);
  for (int times = 0; times < 2; ++times) {
    // Under other numbers, which they lose, and with one more.
    Guest other(guest.root, file,
                {{".", "/all", COMET_READ}, {"readable", "/readable", COMET_READ}, {"inside", "/inside", COMET_READ | COMET_WRITE}});
    BOOST_CHECK_EQUAL(other.call("dir_name", {granted, buffer, 100}), 7);
    BOOST_CHECK_EQUAL(other.get(buffer, 7), "/inside");
    BOOST_CHECK_EQUAL(other.call("dir_name", {readable, buffer, 100}), 9);
    BOOST_CHECK_EQUAL(other.call("dir_name", {8, buffer, 100}), 4);
    BOOST_CHECK_EQUAL(other.call("file_flags", {5}), 4 << 8 | 3);
    BOOST_CHECK_EQUAL(other.call("read", {5, buffer, 100}), 5);
    BOOST_CHECK_EQUAL(other.get(buffer, 5), "world");
    BOOST_CHECK_EQUAL(other.call("file_flags", {7}), 4 << 8 | 66);
    BOOST_CHECK_EQUAL(other.call("write", {7, buffer, 1}), 1);
    BOOST_CHECK_EQUAL(other.call("file_read_at", {1, buffer, 4, 0}), 4);
    BOOST_CHECK_EQUAL(other.get(buffer, 4), "page");
    BOOST_CHECK_EQUAL(other.call("read", {9, buffer, 5}), 5);
    BOOST_CHECK_EQUAL(other.call("write", {2, buffer, 5}), -9);
    // A directory's entries are there from where the program was.
    BOOST_CHECK_EQUAL(other.call("dir_list", {6, buffer, 100, 2}), 29);
    BOOST_CHECK_EQUAL(other.get(buffer + 24, 5), "below");
    // What is opened in it is in the granted directory, too.
    other.put(path, "below");
    BOOST_CHECK_EQUAL(other.call("file_open", {6, path, 5, to_read}), 10);
    BOOST_CHECK_EQUAL(state(saved(other.vm)).info().pages, state(file).info().pages);
  }
  BOOST_CHECK_EQUAL(guest.size_of("inside/deep/below"), 7u);
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 12u);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_any_more_is_not_open) {
  Guest guest;
  fs::copy_file(guest.root / "inside/hello", guest.root / "inside/moved");
  fs::copy_file(guest.root / "inside/hello", guest.root / "inside/gone");
  BOOST_REQUIRE_EQUAL(mkfifo((guest.root / "inside/fifo").c_str(), 0600), 0);
  guest.open("hello", to_read | to_write);
  guest.open("moved", to_read);
  guest.open("gone", to_read);
  guest.open("fifo", to_read);
  guest.open("deep", to_read | directory);
  // Deeper than a path can say.
  guest.put(path, "././././");
  for (int times = 0; times < 600; ++times) {
    BOOST_REQUIRE_EQUAL(guest.call("file_open", {9, path, 8, to_read | directory}), 10);
    BOOST_REQUIRE_EQUAL(guest.call("file_renumber", {10, 9}), 0);
  }
  BOOST_CHECK_EQUAL(guest.both("path_rename", "moved", "elsewhere"), 0);
  fs::copy_file(guest.root / "inside/hello", guest.root / "inside/moved");
  const bytes file = saved(guest.vm);
  fs::remove(guest.root / "inside/gone");
  fs::create_directory(guest.root / "inside/gone");
  const auto open_in = [](Guest& other, std::uint64_t number) { return other.call("file_flags", {number}) >= 0; };
  Guest other(guest.root, file, {{"inside", "/inside", COMET_READ | COMET_WRITE}});
  BOOST_CHECK(open_in(other, granted) && open_in(other, 5));
  for (const std::uint64_t lost : {readable, std::uint64_t{6}, std::uint64_t{7}, std::uint64_t{8}, std::uint64_t{9}})
    BOOST_CHECK(!open_in(other, lost));
  // Their numbers stay taken, or the program would write to the wrong file; and so in the next state.
  const bytes again = saved(other.vm);
  BOOST_CHECK_EQUAL(other.open("hello", to_read), 10);
  BOOST_CHECK_EQUAL(other.call("file_close", {6}), -9);
  BOOST_CHECK_EQUAL(other.open("hello", to_read), 6);
  Guest third(guest.root, again, {{"inside", "/inside", COMET_READ | COMET_WRITE}});
  BOOST_CHECK_EQUAL(third.open("hello", to_read), 10);
  // Granted for reading only, under another name, or not at all.
  Guest reader(guest.root, file, {{"inside", "/inside", COMET_READ}});
  BOOST_CHECK(open_in(reader, granted) && !open_in(reader, 5));
  Guest stranger(guest.root, file, {{"inside", "/other", COMET_READ | COMET_WRITE}});
  BOOST_CHECK(!open_in(stranger, granted) && !open_in(stranger, 5) && open_in(stranger, 10));
  Guest nobody(guest.root, file, {});
  for (std::uint64_t number = granted; number < 12; ++number) BOOST_CHECK(!open_in(nobody, number));
  comet_machine* forked = nullptr;
  SUPPORT_OK(comet_machine_fork(nobody.vm, nullptr, &forked, error));
  const machine fork(forked);
  BOOST_CHECK(saved(fork) == saved(nobody.vm));
}

// One directory, `/inside`, and one file, opened for reading and writing at so many bytes.
bytes files_record(const std::string& where, std::uint64_t number = 5, std::uint8_t kind = 4, std::uint64_t place = 0,
                   const std::string& name = "/inside", std::uint8_t in = 0) {
  bytes content;
  const auto put = [&](std::uint64_t value, int length) {
    for (; length > 0; --length, value >>= 8) content.push_back(static_cast<std::uint8_t>(value));
  };
  const auto text = [&](const std::string& words) {
    put(words.size(), 2);
    content.insert(content.end(), words.begin(), words.end());
  };
  put(1, 4);
  text(name);
  put(1, 4);
  put(number, 4);
  put(in, 4);
  for (const std::uint8_t one : {kind, std::uint8_t{1}, std::uint8_t{1}, std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{0}}) put(one, 1);
  put(place, 8);
  text(where);
  return content;
}

// Promised in SECURITY.md.
BOOST_AUTO_TEST_CASE(no_state_reaches_what_was_not_granted) {
  Guest guest;
  fs::create_directory_symlink("..", guest.root / "inside/up");
  const bytes file = saved(guest.vm);
  const auto opens = [&](const bytes& content, int access = COMET_READ | COMET_WRITE) {
    Guest other(guest.root, with_content(file, "file", content), {{"inside", "/inside", access}});
    return other.call("file_flags", {5}) >= 0;
  };
  BOOST_CHECK(opens(files_record("hello")));
  BOOST_CHECK(opens(files_record("hello", 5, 4, 1 << 20)));
  BOOST_CHECK(!opens(files_record("hello"), COMET_READ));
  for (const char* const out : {"../secret", "deep/../../secret", "/etc/passwd", "out", "absolute", "up/secret", "new", "deep", "", "hello/x"})
    BOOST_CHECK(!opens(files_record(out)));
  BOOST_CHECK(!opens(files_record((guest.root / "secret").string())));
  BOOST_CHECK(!opens(files_record("hello", 5, 3)));
  BOOST_CHECK(!opens(files_record("hello", 5, 4, UINT64_MAX)));
  BOOST_CHECK(!opens(files_record("hello", 5, 4, 0, "/elsewhere")));
  BOOST_CHECK(!fs::exists(guest.root / "inside/new"));
  BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 12u);
}

BOOST_AUTO_TEST_CASE(files_that_no_machine_had_are_refused) {
  Guest guest;
  guest.open("hello", to_read);
  const bytes file = saved(guest.vm);
  const char* const wrong = "a file is not as a machine has it open";
  for (const bytes& content : {files_record("hello", 259), files_record("hello", 5, 2), files_record("hello", 5, 5),
                               files_record(std::string(4097, 'x')), files_record(std::string("a\0b", 3)),
                               files_record("hello", 5, 4, 0, "/inside", 1)})
    refused(with_content(file, "file", content), wrong);
  const bytes once = files_record("hello");
  bytes twice = once;
  twice.insert(twice.end(), once.begin() + 17, once.end());
  twice[13] = 2;
  refused(with_content(file, "file", twice), wrong);
  const char* const name = "a directory was not granted under such a name, or twice";
  for (const std::string& bad : {std::string(), std::string(4097, 'x'), std::string("a\0b", 3)})
    refused(with_content(file, "file", files_record("hello", 5, 4, 0, bad)), name);
  refused(with_content(file, "file", {2, 0, 0, 0, 1, 0, 'a', 1, 0, 'a', 0, 0, 0, 0}), name);
  bytes many{0x2c, 1, 0, 0};
  for (unsigned i = 0; i < 300; ++i)
    for (const unsigned byte : {2u, 0u, 1 + i / 200, 1 + i % 200}) many.push_back(static_cast<std::uint8_t>(byte));
  refused(with_content(file, "file", many), name);
  refused(with_record_behind(file, "file", "file", content_of(file, "file")), "not where it belongs");
  // Who does not know of files finds none open.
  Guest other(guest.root, without_record(file, "file"), {{"inside", "/inside", COMET_READ | COMET_WRITE}});
  BOOST_CHECK_EQUAL(other.call("file_flags", {5}), -9);
  BOOST_CHECK_EQUAL(other.call("file_flags", {granted}), 3 << 8 | 1);
}

BOOST_AUTO_TEST_CASE(who_goes_back_does_nothing_to_files_again) {
  Guest guest;
  guest.open("hello", to_write | appending);
  guest.call("write", {5, buffer, 3});
  guest.vm.restart(code_address);
  SUPPORT_OK(comet_timeline_start(guest.vm, 1 << 20, error));
  for (const auto& [index, value] : {std::pair{11u, std::uint64_t{5}}, {12u, buffer}, {13u, std::uint64_t{4}}})
    guest.vm.set(index, value);
  comet_snapshot* before = nullptr;
  SUPPORT_OK(comet_snapshot_take(guest.vm, &before, error));
  for (int times = 0; times < 2; ++times) {
    BOOST_CHECK_EQUAL(guest.vm.run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(guest.vm.get(11), 4u);
    BOOST_CHECK_EQUAL(guest.size_of("inside/hello"), 19u);
    SUPPORT_OK(comet_snapshot_restore(guest.vm, before, error));
  }
  comet_snapshot_free(guest.vm, before);
}

BOOST_AUTO_TEST_CASE(the_environment_is_what_was_set) {
  Guest guest;
  BOOST_CHECK_EQUAL(guest.call("env_count", {}), 0);
  const char* const settings[] = {"A=1", "HOME=/inside"};
  SUPPORT_OK(comet_set_environment(guest.vm, 2, settings, error));
  BOOST_CHECK_EQUAL(guest.call("env_count", {}), 2);
  BOOST_CHECK_EQUAL(guest.call("env", {1, buffer, 4}), 12);
  BOOST_CHECK_EQUAL(guest.get(buffer, 4), "HOME");
  BOOST_CHECK_EQUAL(guest.call("env", {2, buffer, 4}), -22);
  for (const char* wrong : {"", "A", "=1"}) SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_environment(guest.vm, 1, &wrong, error));
}

namespace {

// A subscription of WASI's poll_oneoff: what for, of which clock or descriptor, until when.
bytes subscription(std::uint8_t name, std::uint8_t kind, std::uint8_t number, std::uint64_t time = 0, bool absolute = false) {
  bytes all(48);
  all[0] = name;
  all[8] = kind;
  all[16] = number;
  for (unsigned i = 0; i < 8; ++i) all[24 + i] = static_cast<std::uint8_t>(time >> (8 * i));
  all[40] = absolute;
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(poll_waits_for_files_and_time) {
  Guest guest;
  guest.open("hello", to_read);
  const auto poll = [&](const bytes& first, const bytes& second) {
    guest.vm.write(path, first);
    guest.vm.write(path + 48, second);
    return guest.call("poll", {path, buffer, 2});
  };
  constexpr std::uint64_t long_time = 3600000000000;
  BOOST_CHECK_EQUAL(poll(subscription(7, 1, 5), subscription(8, 0, 1, long_time)), 1);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer), 7u);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 8), 1u << 16);
  int ends[2];
  BOOST_REQUIRE_EQUAL(pipe(ends), 0);
  SUPPORT_OK(comet_set_stream(guest.vm, 0, ends[0], error));
  BOOST_CHECK_EQUAL(poll(subscription(7, 1, 0), subscription(8, 0, 1, 1000000)), 1);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer), 8u);
  close(ends[1]);
  BOOST_CHECK_EQUAL(poll(subscription(7, 1, 0), subscription(8, 0, 1, long_time)), 1);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 24), 1u); // the writer is gone
  close(ends[0]);
  SUPPORT_OK(comet_set_stream(guest.vm, 0, COMET_STREAM_EMBEDDER, error));
  BOOST_CHECK_EQUAL(poll(subscription(7, 1, 0), subscription(8, 0, 1, UINT64_MAX)), 1);
  BOOST_CHECK_EQUAL(poll(subscription(7, 2, 99), subscription(8, 0, 0, 5, true)), 2);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 8), 8u | 2u << 16); // no such descriptor
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 40), 63u);          // a time of day needs the clock
  SUPPORT_OK(comet_host_grant_standard(guest.vm, "clock", error));
  BOOST_CHECK_EQUAL(poll(subscription(7, 0, 1, 5, true), subscription(8, 0, 0, 5, true)), 2);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 40), 0u);
  BOOST_CHECK_EQUAL(poll(subscription(7, 0, 1, INT64_MAX, true), subscription(8, 1, 5)), 1); // not yet
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer), 8u);
  SUPPORT_OK(comet_set_stream(guest.vm, 0, COMET_STREAM_NONE, error));
  BOOST_CHECK_EQUAL(poll(subscription(7, 1, 0), subscription(8, 0, 1, long_time)), 1);
  BOOST_CHECK_EQUAL(guest.vm.read_word(buffer + 8), 8u | 1u << 16);
  BOOST_CHECK_EQUAL(poll(subscription(7, 3, 1), subscription(8, 0, 0, 5)), -22);
  BOOST_CHECK_EQUAL(guest.call("poll", {path, buffer, 0}), -22);
  // Whoever waits can be stopped.
  guest.vm.write(path, subscription(7, 0, 1, long_time));
  comet_set_deadline(guest.vm, 20000000);
  BOOST_CHECK_EQUAL(guest.start("poll", {path, buffer, 1}).reason, COMET_INTERRUPTED);
}

BOOST_AUTO_TEST_SUITE_END()
