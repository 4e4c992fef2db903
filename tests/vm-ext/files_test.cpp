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

#include "support.h"
#include "vm-ext/host/beneath.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

using values = std::initializer_list<std::uint64_t>;

constexpr std::uint64_t to_read = 1, to_write = 2, to_create = 4, directory = 8, exclusively = 16, truncated = 32, append = 64,
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
  ~Guest() { fs::remove_all(root); }

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
  BOOST_CHECK_EQUAL(guest.call("file_set_append", {5, append}), 0);
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
  BOOST_CHECK_EQUAL(guest.open("hello", to_write | truncated | append), 7);
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
    for (const char* in : {"hello", "./hello", "deep/../hello", ".", "deep//.", "deep"}) BOOST_CHECK_EQUAL(opens(in), 0);
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
    BOOST_CHECK_EQUAL(comet::parent_beneath(inside.get(), "deep/new/", resolver).second, "new");
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

BOOST_AUTO_TEST_CASE(who_goes_back_does_nothing_to_files_again) {
  Guest guest;
  guest.open("hello", to_write | append);
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
  BOOST_CHECK_EQUAL(poll(subscription(7, 3, 1), subscription(8, 0, 0, 5)), -22);
  BOOST_CHECK_EQUAL(guest.call("poll", {path, buffer, 0}), -22);
  // Whoever waits can be stopped.
  guest.vm.write(path, subscription(7, 0, 1, long_time));
  comet_set_deadline(guest.vm, 20000000);
  BOOST_CHECK_EQUAL(guest.start("poll", {path, buffer, 1}).reason, COMET_INTERRUPTED);
}

BOOST_AUTO_TEST_SUITE_END()
