// The host runs out of memory at every place in turn, be it operator new or a mapping of the system's: each call then
// fails whole, and works when tried again, or does without what it did not get.
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <new>

#include "objects.h"
#include "state_files.h"

using namespace support;

namespace {

// Allocations that still succeed; negative: all do. Then the next one fails, or all do.
thread_local long allocations_left = -1;
thread_local bool fail_once = false;
thread_local bool was_refused = false;

bool refused() {
  if (allocations_left < 0) return false;
  if (allocations_left > 0) {
    --allocations_left;
    return false;
  }
  if (fail_once) allocations_left = -1;
  was_refused = true;
  return true;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAPPINGS_ARE_THE_SANITIZERS
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MAPPINGS_ARE_THE_SANITIZERS
#endif
#endif

}  // namespace

#ifndef MAPPINGS_ARE_THE_SANITIZERS
extern "C" void* mmap(void* at, std::size_t length, int protection, int flags, int file, off_t offset) noexcept {
  if (refused()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, length, protection, flags, file, offset));
}
extern "C" int memfd_create(const char* name, unsigned flags) noexcept {
  if (refused()) {
    errno = EMFILE;
    return -1;
  }
  return static_cast<int>(syscall(SYS_memfd_create, name, flags));
}
extern "C" int ftruncate(int file, off_t length) noexcept {
  if (refused()) {
    errno = ENOSPC;
    return -1;
  }
  return static_cast<int>(syscall(SYS_ftruncate, file, length));
}
extern "C" int madvise(void* at, std::size_t length, int advice) noexcept {
  if (refused()) {
    errno = EAGAIN;
    return -1;
  }
  return static_cast<int>(syscall(SYS_madvise, at, length, advice));
}
#endif

void* operator new(std::size_t size) {
  if (refused()) throw std::bad_alloc();
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (refused()) return nullptr;
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

namespace {

constexpr std::uint64_t far_address = 0x700000000000;

// Counts, calls, and copies over pages of two kinds: within the window and beyond it.
code program() {
  code text;
  text.add("imm", {1, 200}).add("imm", {2, data_address + 0xfff0}).add("imm", {3, far_address + 0xfff0});
  text.add("imm", {4, 64});
  const std::uint64_t loop = text.here();
  const std::uint64_t function = code_address + 0x100;
  text.add("st64", {2, 1, 12}).add("bcopy", {3, 2, 4}).add("call", {10, function});
  text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  while (text.here() < function) text.add("nop");
  return text.add("addi", {1, 1, 1}).add("ret");
}

// What machines take from an allocator of the embedder's may fail as well.
bool own_memory = false;

comet_machine* made() {
  comet_allocator allocator = COMET_ALLOCATOR_INIT;
  allocator.allocate = [](void*, std::size_t length) { return refused() ? nullptr : std::calloc(length, 1); };
  allocator.release = [](void*, void* memory, std::size_t) { std::free(memory); };
  allocator.zeroed = 1;
  comet_config config = COMET_CONFIG_INIT;
  if (own_memory) config.window = 1 << 20, config.register_limit = 4096;
  comet_machine* machine = nullptr;
  SUPPORT_OK(comet_machine_new_with(&config, own_memory ? &allocator : nullptr, &machine, error));
  return machine;
}

struct fixture {
  machine vm{made()};
  comet_snapshot* taken[2] = {};
  comet_space space = 0;
  fixture() {
    const code text = program();
    vm.load(text);
    vm.restart(text.address());
    vm.map(data_address, 3 * COMET_PAGE_SIZE, read_write);
    vm.map(far_address, 2 * COMET_PAGE_SIZE, read_write);
    SUPPORT_OK(comet_space_new(vm, &space, error));
    vm.map(0, 1, read_write, space);
    SUPPORT_OK(comet_snapshot_take(vm, &taken[0], error));
    vm.run(60);
    SUPPORT_OK(comet_unmap(vm, 0, far_address + COMET_PAGE_SIZE, 1, error));
    vm.map(far_address + 5 * COMET_PAGE_SIZE, 1, read_write);
    SUPPORT_OK(comet_snapshot_take(vm, &taken[1], error));
    vm.run(60);
  }
};

using call = std::function<comet_status(fixture&, comet_error*)>;

// Lets allocation number 0, 1, 2, ... of the call fail, until it needs no more of them.
void sweep(const char* what, const call& made) {
  for (long n = 0;; ++n) {
    fixture at;
    const hash before = at.vm.state_hash();
    comet_error error = COMET_ERROR_INIT;
    allocations_left = n;
    was_refused = false;
    const comet_status status = made(at, &error);
    allocations_left = -1;
    if (status == COMET_OK && was_refused) continue;
    if (status == COMET_OK) {
      BOOST_TEST_MESSAGE(what << ": " << n << " allocations");
      return;
    }
    BOOST_REQUIRE_MESSAGE(status == COMET_ERROR_MEMORY, what << " at " << n << ": " << error.message);
    BOOST_REQUIRE_MESSAGE(at.vm.state_hash() == before, what << " at " << n << " left a trace");
    BOOST_REQUIRE_MESSAGE(made(at, &error) == COMET_OK, what << " again at " << n << ": " << error.message);
    BOOST_REQUIRE_LT(n, 1000);
  }
}

void sweep_calls() {
  constexpr std::uint64_t some = 4 * COMET_PAGE_SIZE;
  const bytes content(some, 7);
  sweep("map", [](fixture& at, comet_error* error) {
    return comet_map(at.vm, 0, far_address, 8 * COMET_PAGE_SIZE, COMET_READ, error);
  });
  sweep("map in the window", [](fixture& at, comet_error* error) {
    return comet_map(at.vm, 0, 0, 8 * COMET_PAGE_SIZE, COMET_READ, error);
  });
  sweep("unmap", [](fixture& at, comet_error* error) { return comet_unmap(at.vm, 0, 0, UINT64_MAX, error); });
  sweep("protect", [](fixture& at, comet_error* error) {
    return comet_protect(at.vm, 0, data_address, 3 * COMET_PAGE_SIZE, COMET_READ, error);
  });
  sweep("write", [&](fixture& at, comet_error* error) {
    return comet_write(at.vm, 0, data_address, content.data(), 3 * COMET_PAGE_SIZE, error);
  });
  sweep("restore", [](fixture& at, comet_error* error) { return comet_snapshot_restore(at.vm, at.taken[0], error); });
  sweep("capture", [](fixture& at, comet_error* error) {
    comet_state* state = nullptr;
    const comet_status status = comet_state_capture(at.vm, nullptr, &state, error);
    comet_state_free(state);
    return status;
  });
  sweep("fork", [](fixture& at, comet_error* error) {
    comet_machine* forked = nullptr;
    const comet_status status = comet_machine_fork(at.vm, nullptr, &forked, error);
    comet_machine_free(forked);
    return status;
  });
  sweep("restore of the newer", [](fixture& at, comet_error* error) {
    return comet_snapshot_restore(at.vm, at.taken[1], error);
  });
  sweep("snapshot", [](fixture& at, comet_error* error) {
    comet_snapshot* taken = nullptr;
    return comet_snapshot_take(at.vm, &taken, error);
  });
  sweep("space", [](fixture& at, comet_error* error) {
    comet_space space = 0;
    return comet_space_new(at.vm, &space, error);
  });
  sweep("thread", [](fixture& at, comet_error* error) {
    comet_thread thread = 0;
    return comet_thread_new(at.vm, 0, 0, &thread, error);
  });
  sweep("free of a space", [](fixture& at, comet_error* error) { return comet_space_free(at.vm, at.space, error); });
  sweep("breakpoint", [](fixture& at, comet_error* error) { return comet_breakpoint_set(at.vm, 0, 5, error); });
  sweep("watchpoint", [](fixture& at, comet_error* error) {
    std::uint32_t id = 0;
    return comet_watchpoint_set(at.vm, 0, data_address, 8, COMET_WRITE, &id, error);
  });
  sweep("import", [](fixture& at, comet_error* error) {
    std::uint32_t index = 0;
    return comet_host_import(at.vm, "a-name-that-is-too-long-to-be-kept-in-place", &index, error);
  });
  sweep("grant", [](fixture& at, comet_error* error) {
    return comet_host_grant(at.vm, "a-name-that-is-too-long-to-be-kept-in-place", nullptr, nullptr, error);
  });
  sweep("arguments", [](fixture& at, comet_error* error) {
    const char* const words[] = {"a-word-that-is-too-long-to-be-kept-in-place", "another"};
    return comet_set_arguments(at.vm, 2, words, error);
  });
  sweep("grant with options", [](fixture& at, comet_error* error) {
    comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
    options.signature = "u64 bytes string buffer u64 u64";
    static int released;
    released = 0;
    options.release = [](void*) { ++released; };
    const comet_status status = comet_host_grant_with(at.vm, "another-name-that-is-too-long-to-be-kept-in-place", nullptr, nullptr, &options, error);
    BOOST_CHECK_EQUAL(released, 0);
    return status;
  });
  sweep("limits", [](fixture& at, comet_error* error) {
    comet_limits limits = COMET_LIMITS_INIT;
    comet_get_limits(at.vm, &limits, nullptr);
    limits.call_depth *= 2;
    return comet_set_limits(at.vm, &limits, error);
  });
  sweep("share", [](fixture& at, comet_error* error) {
    return comet_share(at.vm, 0, data_address, 3 * COMET_PAGE_SIZE, at.space, far_address, read_write, error);
  });
  sweep("share from beyond the window", [](fixture& at, comet_error* error) {
    return comet_share(at.vm, 0, far_address, COMET_PAGE_SIZE, at.space, data_address, read_write, error);
  });
  sweep("memory of the host", [&](fixture& at, comet_error* error) {
    return comet_map_host(at.vm, 0, far_address + 16 * COMET_PAGE_SIZE, content.data(), some, COMET_READ, error);
  });
  const bytes other(2 * COMET_PAGE_SIZE, 9);
  for (const std::uint64_t address : {far_address + 16 * COMET_PAGE_SIZE, data_address + 16 * COMET_PAGE_SIZE})
    sweep("writing to memory of the host", [&](fixture& at, comet_error* error) {
      const long allowed = std::exchange(allocations_left, -1);
      SUPPORT_OK(comet_map_host(at.vm, 0, address, content.data(), some, COMET_READ, error));
      const hash before = at.vm.state_hash();
      allocations_left = allowed;
      const comet_status status = comet_write(at.vm, 0, address, other.data(), other.size(), error);
      if (status == COMET_OK) return status;
      allocations_left = -1;
      BOOST_TEST(at.vm.state_hash() == before);
      SUPPORT_OK(comet_unmap(at.vm, 0, address, some, error));
      return status;
    });
  sweep("restore of what was shared", [](fixture& at, comet_error* error) {
    const long allowed = std::exchange(allocations_left, -1);
    const hash before = at.vm.state_hash();
    comet_snapshot* mine = nullptr;
    SUPPORT_OK(comet_snapshot_take(at.vm, &mine, error));
    SUPPORT_OK(comet_share(at.vm, 0, data_address, 2 * COMET_PAGE_SIZE, at.space, far_address, read_write, error));
    comet_snapshot* joined = nullptr;
    SUPPORT_OK(comet_snapshot_take(at.vm, &joined, error));
    const hash with = at.vm.state_hash();
    at.vm.write(far_address, {1, 2}, at.space);
    SUPPORT_OK(comet_unmap(at.vm, at.space, far_address, COMET_PAGE_SIZE, error));
    const hash apart = at.vm.state_hash();
    allocations_left = allowed;
    comet_status status = comet_snapshot_restore(at.vm, joined, error);
    allocations_left = -1;
    BOOST_TEST(at.vm.state_hash() == (status == COMET_OK ? with : apart));
    SUPPORT_OK(comet_snapshot_restore(at.vm, mine, error));
    BOOST_TEST(at.vm.state_hash() == before);
    return status;
  });
  sweep("keeping a log", [](fixture& at, comet_error* error) {
    std::uint32_t id = 0;
    return comet_timeline_keep(at.vm, &id, error);
  });
  sweep("reset", [](fixture& at, comet_error* error) { return comet_machine_reset(at.vm, error); });
  sweep("hash", [](fixture& at, comet_error* error) {
    hash found{};
    return comet_state_hash(at.vm, found.data(), error);
  });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(allocations)

BOOST_AUTO_TEST_CASE(a_call_that_finds_no_memory_leaves_the_state_as_it_was) { sweep_calls(); }

BOOST_AUTO_TEST_CASE(a_call_that_an_allocator_refuses_memory_leaves_the_state_as_it_was) {
  own_memory = true;
  sweep_calls();
  own_memory = false;
}

BOOST_AUTO_TEST_CASE(an_image_is_loaded_whole_or_not_at_all) {
  comet_image* image = nullptr;
  SUPPORT_OK(comet_image_new(&image, error));
  const bytes content(3 * COMET_PAGE_SIZE, 9);
  SUPPORT_OK(comet_image_add_section(image, "low", data_address, content.data(), content.size(), content.size() + 70000,
                                     read_write, error));
  SUPPORT_OK(comet_image_add_section(image, "high", far_address, content.data(), content.size(), content.size() + 9,
                                     read_write, error));
  SUPPORT_OK(comet_image_add_import(image, "exit", error));
  fail_once = true; // going back needs memory too
  sweep("load", [&](fixture& at, comet_error* error) { return comet_image_load(image, at.vm, 0, error); });
  fail_once = false;

  const std::uint8_t* written = nullptr;
  std::size_t length = 0;
  SUPPORT_OK(comet_image_write(image, &written, &length, error));
  sweep("read", [&](fixture&, comet_error* error) {
    comet_image* read = nullptr;
    const comet_status status = comet_image_read(written, length, &read, error);
    comet_image_free(read);
    return status;
  });
  comet_image_free(image);
}

BOOST_AUTO_TEST_CASE(objects_are_linked_whole_or_not_at_all) {
  const std::string library = objects_by_hand::archive({{"m.o/", objects_by_hand::object(objects_by_hand::defines)}});
  const std::string program = objects_by_hand::object(objects_by_hand::calls);
  sweep("linking", [&](fixture&, comet_error* error) {
    comet_linker* linker = nullptr;
    comet_image* image = nullptr;
    comet_status status = comet_linker_new(&linker, error);
    if (status == COMET_OK) status = comet_linker_add(linker, "library.a", library.data(), library.size(), error);
    if (status == COMET_OK) status = comet_linker_add(linker, "program.o", program.data(), program.size(), error);
    if (status == COMET_OK) status = comet_linker_link(linker, nullptr, &image, error);
    comet_linker_free(linker);
    comet_image_free(image);
    return status;
  });
}

BOOST_AUTO_TEST_CASE(a_state_is_saved_read_and_taken_over_whole_or_not_at_all) {
  const comet_sink ignore = [](void*, const void*, std::size_t) { return 0; };
  sweep("save", [&](fixture& at, comet_error* error) {
    comet_state* kept = nullptr;
    const comet_status status = comet_state_save(at.vm, nullptr, ignore, nullptr, &kept, error);
    comet_state_free(kept);
    return status;
  });
  sweep("record", [&](fixture& at, comet_error* error) {
    if (const comet_status status = comet_timeline_start(at.vm, 0, error); status != COMET_OK) return status;
    return comet_record_start(at.vm, nullptr, ignore, nullptr, error);
  });

  fixture from;
  bytes file;
  SUPPORT_OK(comet_timeline_start(from.vm, 0, error));
  from.vm.import("a-name-that-is-too-long-to-be-kept-in-place");
  SUPPORT_OK(comet_record_start(from.vm, nullptr, append, &file, error));
  comet_state* recording = nullptr;
  sweep("read", [&](fixture&, comet_error* error) {
    comet_state* read = nullptr;
    const comet_status status = comet_state_read(file.data(), file.size(), nullptr, &read, error);
    comet_state_free(read);
    return status;
  });
  SUPPORT_OK(comet_state_read(file.data(), file.size(), nullptr, &recording, error));
  sweep("take over", [&](fixture& at, comet_error* error) { return comet_state_restore(at.vm, recording, error); });
  {
    machine waiting(code().add("hcall", {10, 0}).add("halt"));
    waiting.import("ask");
    SUPPORT_OK(comet_host_grant(waiting, "ask", nullptr, nullptr, error));
    waiting.run();
    bytes in_flight;
    SUPPORT_OK(comet_state_save(waiting, nullptr, append, &in_flight, nullptr, error));
    comet_state* state = nullptr;
    SUPPORT_OK(comet_state_read(in_flight.data(), in_flight.size(), nullptr, &state, error));
    sweep("take over with a call in flight, recording", [&](fixture& at, comet_error* error) {
      const long allowed = std::exchange(allocations_left, -1);
      SUPPORT_OK(comet_host_grant(at.vm, "ask", nullptr, nullptr, error));
      SUPPORT_OK(comet_timeline_start(at.vm, 1 << 20, error));
      allocations_left = allowed;
      return comet_state_restore(at.vm, state, error);
    });
    comet_state_free(state);
  }
  {
    const auto grant = [](machine& vm) {
      return comet_grant_directory(vm, "/", "a-name-that-is-too-long-to-be-kept-in-place", COMET_READ, nullptr);
    };
    const std::string name = ".";
    machine opening(code().add("hcall", {10, 0}).add("halt"));
    opening.import("file_open");
    BOOST_REQUIRE_EQUAL(grant(opening), COMET_OK);
    opening.write(data_address, bytes(name.begin(), name.end()));
    for (const auto& [index, value] : {std::pair{11u, std::uint64_t{3}}, {12u, data_address}, {13u, name.size()}, {14u, std::uint64_t{1}}})
      opening.set(index, value);
    opening.run();
    BOOST_REQUIRE_EQUAL(opening.get(11), 4u);
    sweep("save with files", [&](fixture&, comet_error* error) { return comet_state_save(opening, nullptr, ignore, nullptr, nullptr, error); });
    bytes with_files;
    SUPPORT_OK(comet_state_save(opening, nullptr, append, &with_files, nullptr, error));
    sweep("take over with files", [&](fixture& at, comet_error* error) {
      const long allowed = std::exchange(allocations_left, -1);
      grant(at.vm);  // which the second try finds granted
      allocations_left = allowed;
      comet_state* state = nullptr;
      const comet_status read = comet_state_read(with_files.data(), with_files.size(), nullptr, &state, error);
      const comet_status status = read == COMET_OK ? comet_state_restore(at.vm, state, error) : read;
      comet_state_free(state);
      return status;
    });
  }
  sweep("log", [&](fixture& at, comet_error* error) { // of another machine: the state is looked at in full
    const comet_status status = comet_timeline_load(at.vm, recording, 0, error);
    return status == COMET_ERROR_STATE ? COMET_OK : status;
  });
  comet_state_free(recording);
}

BOOST_AUTO_TEST_CASE(a_recording_that_finds_no_memory_says_so_at_its_end) {
  bool failed = false;
  for (long n = 0; n < 40; ++n) {
    machine vm(code().add("hcall", {10, 0}).add("jump", {code_address}));
    vm.import("inside");
    SUPPORT_OK(comet_host_grant(vm, "inside", [](comet_call*, void*) { return COMET_OK; }, nullptr, error));
    bytes file;
    file.reserve(1 << 20);
    SUPPORT_OK(comet_timeline_start(vm, 1 << 20, error));
    SUPPORT_OK(comet_record_start(vm, nullptr, append, &file, error));
    comet_stop stop = COMET_STOP_INIT;
    allocations_left = n;
    fail_once = true;
    const comet_status ran = comet_run(vm, 0, 20, &stop, nullptr);
    fail_once = false;
    allocations_left = -1;
    if (ran == COMET_OK) BOOST_CHECK_EQUAL(stop.executed, 20u);
    const comet_status ended = comet_record_stop(vm, nullptr, nullptr);
    BOOST_CHECK(ended == COMET_OK || ended == COMET_ERROR_MEMORY);
    failed |= ended == COMET_ERROR_MEMORY;
    comet_state* read = nullptr;
    BOOST_CHECK_EQUAL(comet_state_read(file.data(), file.size(), nullptr, &read, nullptr), COMET_OK);
    comet_state_free(read);
  }
  BOOST_CHECK(failed);
}

BOOST_AUTO_TEST_CASE(a_host_call_that_finds_no_memory_says_so_and_can_be_made_again) {
  std::string root = (std::filesystem::temp_directory_path() / "comet-no-memory-XXXXXX").string();
  BOOST_REQUIRE(mkdtemp(root.data()) != nullptr);
  const std::string file = "a-file-whose-name-is-not-kept-in-place", other = "another-file-whose-name-is-not-kept-in-place";
  constexpr std::uint64_t name = data_address, second = data_address + 0x100, room = data_address + 0x200, directory = 3, opened = 4;
  const std::uint64_t length = file.size(), second_length = other.size();
  struct row {
    const char* call;
    std::vector<std::uint64_t> arguments;
  };
  const row rows[] = {
      {"read", {opened, room, 7}},
      {"write", {opened, name, 7}},
      {"poll", {room, second, 1}},
      {"random", {room, 9}},
      {"file_open", {directory, name, length, 1}},
      {"file_read_at", {opened, room, 7, 0}},
      {"file_write_at", {opened, name, 7, 0}},
      {"dir_list", {directory, room, 100, 0}},
      {"path_status", {directory, name, length, 0, room}},
      {"path_make_dir", {directory, second, second_length}},
      {"path_rename", {directory, name, length, directory, second, second_length}},
      {"path_make_link", {directory, second, second_length, name, length}},
      {"spawn", {code_address, 0}},
      {"on", {COMET_ON_POSTED, 1, code_address, 0}},
      {"timer", {1, 1000, 0}},
      {"map", {far_address, COMET_PAGE_SIZE}},
  };
  for (const row& one : rows) {
    for (long n = 0;; ++n) {
      std::filesystem::remove_all(root + "/" + other);
      std::ofstream(root + "/" + file) << "content";
      const bool opens = std::string(one.call) == "file_open";
      machine vm(code().add("hcall", {10, 0}).add("hcall", {10, opens ? 0u : 1u}).add("halt"));
      for (const char* group : {"random", "clock"}) SUPPORT_OK(comet_host_grant_standard(vm, group, error));
      SUPPORT_OK(comet_grant_directory(vm, root.c_str(), "/", COMET_READ | COMET_WRITE, error));
      vm.import("file_open");
      vm.import(one.call);
      vm.write(name, bytes(file.begin(), file.end()));
      vm.write(second, bytes(other.begin(), other.end()));
      const auto give = [&](const std::vector<std::uint64_t>& arguments) {
        for (std::size_t i = 0; i < arguments.size(); ++i) vm.set(11 + i, arguments[i]);
      };
      give({directory, name, length, 3});
      vm.run(1);
      BOOST_REQUIRE_EQUAL(vm.get(11), opened);
      give(one.arguments);
      comet_stop stop = COMET_STOP_INIT;
      allocations_left = n;
      was_refused = false;
      const comet_status status = comet_run(vm, 0, 1, &stop, nullptr);
      allocations_left = -1;
      BOOST_TEST_CONTEXT(one.call << " at " << n << ": " << stop.message) {
        const auto result = [&] { return static_cast<std::int64_t>(vm.get(11)); };
        if (status == COMET_OK && stop.reason == COMET_OUT_OF_FUEL) {
          BOOST_REQUIRE(result() >= 0 || (was_refused && result() == -12));
          if (!was_refused) break;
          continue;
        }
        BOOST_REQUIRE(status == COMET_ERROR_MEMORY || (status == COMET_OK && stop.trap == COMET_TRAP_HOST_CALL));
        BOOST_REQUIRE_EQUAL(vm.run(1).reason, COMET_OUT_OF_FUEL);
        BOOST_REQUIRE_GE(result(), 0);
        BOOST_REQUIRE_LT(n, 100);
      }
    }
  }
  std::filesystem::remove_all(root);
}

BOOST_AUTO_TEST_CASE(who_disassembles_without_memory_comes_to_the_end_all_the_same) {
  const bytes content = code().add("imm", {100000, 0x123456789abcdef0}).add("halt").content();
  char text[80];
  bool failed = false;
  for (long n = 0; n < 4; ++n) {
    allocations_left = n;
    was_refused = false;
    std::size_t at = 0;
    for (std::size_t steps = 0; at < content.size() && steps < content.size(); ++steps)
      at += comet_disassemble(nullptr, &content[at], content.size() - at, code_address, text, sizeof text);
    allocations_left = -1;
    failed |= was_refused;
    BOOST_CHECK_EQUAL(at, content.size());
  }
  BOOST_CHECK(failed);
}

BOOST_AUTO_TEST_CASE(what_gives_no_status_needs_no_memory) {
  fixture at;
  allocations_left = 0;
  const std::uint64_t held = comet_snapshot_bytes(at.vm);
  comet_snapshot_free(at.vm, at.taken[1]);
  comet_snapshot_free(at.vm, at.taken[0]);
  const std::uint64_t left = comet_snapshot_bytes(at.vm);
  allocations_left = -1;
  BOOST_CHECK_GT(held, 0u);
  BOOST_CHECK_EQUAL(left, 0u);
}

BOOST_AUTO_TEST_CASE(a_run_that_finds_no_memory_goes_on_where_it_stopped) {
  fixture whole;
  whole.vm.map(far_address + COMET_PAGE_SIZE, 1, read_write);
  const std::uint64_t length = whole.vm.run().executed;
  const hash wanted = whole.vm.state_hash();
  long failures = 0;
  for (long n = 0;; ++n) {
    fixture at;
    at.vm.map(far_address + COMET_PAGE_SIZE, 1, read_write);
    // What was decoded is dropped, so that the run has to allocate for code as well as for pages.
    SUPPORT_OK(comet_breakpoint_set(at.vm, 0, 5, error));
    comet_stop stop = COMET_STOP_INIT;
    allocations_left = n;
    const comet_status status = comet_run(at.vm, 0, plenty, &stop, nullptr);
    allocations_left = -1;
    if (status == COMET_OK) break;
    ++failures;
    BOOST_REQUIRE_EQUAL(status, COMET_ERROR_MEMORY);
    BOOST_REQUIRE_EQUAL(at.vm.run().reason, COMET_HALTED);
    BOOST_REQUIRE(at.vm.state_hash() == wanted);
    BOOST_REQUIRE_LT(n, 1000);
  }
  BOOST_CHECK_GE(failures, 2); // for code and for pages, in every build
  BOOST_CHECK_GT(length, 100u);
}

// The first block on a page takes a table for the page, and the first of all more.
BOOST_AUTO_TEST_CASE(decoding_in_a_new_place_finds_no_memory_and_is_tried_again) {
  for (const std::uint32_t host_threads : {0u, 2u}) {
    for (long n = 0;; ++n) {
      code elsewhere(far_address);
      elsewhere.add("imm", {1, 7}).add("halt");
      machine vm(code().add("imm", {2, far_address}).add("jumpr", {2}));
      vm.load(elsewhere);
      SUPPORT_OK(comet_set_host_threads(vm, host_threads, error));
      comet_stop stop = COMET_STOP_INIT;
      allocations_left = n;
      const comet_status status = comet_run(vm, COMET_EVERY_THREAD, plenty, &stop, nullptr);
      allocations_left = -1;
      if (status == COMET_OK) break;
      BOOST_REQUIRE_EQUAL(status, COMET_ERROR_MEMORY);
      BOOST_REQUIRE_EQUAL(vm.run().reason, COMET_HALTED);
      BOOST_REQUIRE_EQUAL(vm.get(1), 7u);
      BOOST_REQUIRE_LT(n, 1000);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
