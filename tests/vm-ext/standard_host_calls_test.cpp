// The standard host calls, as a guest sees them: what they give, what they refuse, and that waiting for a
// stream never keeps a machine from being stopped.
#include <fcntl.h>

#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../../vm-ext/comet.h"
#include "../../vm-ext/host/call.h"

namespace {

constexpr uint64_t code = 0x10000;
constexpr uint64_t data = 0x20000;       // one page, readable and writable
constexpr uint64_t constants = 0x30000;  // one page, readable

struct Free {
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};

uint8_t opcode_of(std::string_view name) {
  comet_instruction instruction = COMET_INSTRUCTION_INIT;
  for (size_t n = 0; comet_isa_instruction(n, &instruction, nullptr) == COMET_OK; ++n) {
    if (name == instruction.name) return static_cast<uint8_t>(instruction.opcode);
  }
  BOOST_FAIL("no instruction " << name);
  return 0;
}

// A machine whose program is one host call and a halt. Streams lead nowhere unless a test says so.
class Guest {
 public:
  explicit Guest(const char* call) {
    comet_machine* made = nullptr;
    BOOST_REQUIRE_EQUAL(comet_machine_new(nullptr, &made, nullptr), COMET_OK);
    machine_.reset(made);
    for (const char* group : {"clock", "random"}) comet_host_grant_standard(made, group, nullptr);
    for (unsigned stream = 0; stream < 3; ++stream) set_stream(stream, COMET_STREAM_NONE);
    uint32_t index = 0;
    BOOST_REQUIRE_EQUAL(comet_host_import(made, call, &index, nullptr), COMET_OK);
    const std::array<uint8_t, 4> program{opcode_of("hcall"), 1, static_cast<uint8_t>(index),
                                         opcode_of("halt")};
    comet_map(made, 0, code, program.size(), COMET_READ | COMET_EXECUTE, nullptr);
    comet_write(made, 0, code, program.data(), program.size(), nullptr);
    comet_map(made, 0, data, COMET_PAGE_SIZE, COMET_READ | COMET_WRITE, nullptr);
    comet_map(made, 0, constants, COMET_PAGE_SIZE, COMET_READ, nullptr);
  }

  comet_machine* machine() { return machine_.get(); }
  void set_stream(unsigned stream, int descriptor) {
    BOOST_REQUIRE_EQUAL(comet_set_stream(machine(), stream, descriptor, nullptr), COMET_OK);
  }

  // Runs the program with arguments from the beginning.
  comet_stop start(std::initializer_list<uint64_t> arguments) {
    comet_thread_restart(machine(), 0, code, nullptr);
    uint64_t index = 2;
    for (const uint64_t argument : arguments) comet_set_register(machine(), 0, 0, index++, argument, nullptr);
    return go_on();
  }
  comet_stop go_on() {
    comet_stop stop = COMET_STOP_INIT;
    BOOST_REQUIRE_EQUAL(comet_run(machine(), 0, 100, &stop, nullptr), COMET_OK);
    return stop;
  }
  int64_t result() {
    uint64_t value = 0;
    comet_get_register(machine(), 0, 0, 2, &value, nullptr);
    return static_cast<int64_t>(value);
  }
  // The result of a call that ends well.
  int64_t call(std::initializer_list<uint64_t> arguments) {
    BOOST_CHECK_EQUAL(start(arguments).reason, COMET_HALTED);
    return result();
  }
  void check_trap(comet_trap trap, uint64_t address, std::initializer_list<uint64_t> arguments) {
    const comet_stop stop = start(arguments);
    BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
    BOOST_CHECK_EQUAL(stop.trap, trap);
    BOOST_CHECK_EQUAL(stop.address, address);
    BOOST_CHECK_EQUAL(stop.pc, code);
    BOOST_CHECK_EQUAL(stop.executed, 0u);
  }

  void put(uint64_t address, std::string_view text) {
    BOOST_REQUIRE_EQUAL(comet_write(machine(), 0, address, text.data(), text.size(), nullptr), COMET_OK);
  }
  std::string get(uint64_t address, size_t length) {
    std::string text(length, 0);
    BOOST_REQUIRE_EQUAL(comet_read(machine(), 0, address, text.data(), length, nullptr), COMET_OK);
    return text;
  }

 private:
  std::unique_ptr<comet_machine, Free> machine_;
};

struct Pipe {
  Pipe() { BOOST_REQUIRE_EQUAL(pipe(ends), 0); }
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) close(end);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int input() const { return ends[0]; }
  int output() const { return ends[1]; }
  void close_input() { close(std::exchange(ends[0], -1)); }
  void close_output() { close(std::exchange(ends[1], -1)); }
  std::string take(size_t most) {
    std::string text(most, 0);
    const ssize_t count = read(input(), text.data(), most);
    text.resize(count < 0 ? 0 : static_cast<size_t>(count));
    return text;
  }
  void give(std::string_view text) {
    BOOST_REQUIRE_EQUAL(write(output(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  int ends[2];
};

uint64_t as_unsigned(int64_t value) { return static_cast<uint64_t>(value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(standard_host_calls)

BOOST_AUTO_TEST_CASE(exit_halts_with_the_status) {
  Guest guest("exit");
  for (const int64_t status : {INT64_C(0), INT64_C(3), INT64_C(-1), INT64_MIN}) {
    const comet_stop stop = guest.start({as_unsigned(status)});
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.exit_status, status);
  }
}

BOOST_AUTO_TEST_CASE(write_puts_guest_memory_out) {
  Guest guest("write");
  Pipe pipe;
  guest.set_stream(1, pipe.output());
  guest.put(data, "hello");
  BOOST_CHECK_EQUAL(guest.call({1, data, 5}), 5);
  BOOST_CHECK_EQUAL(guest.call({1, constants, 0}), 0);
  BOOST_CHECK_EQUAL(pipe.take(100), "hello");
}

BOOST_AUTO_TEST_CASE(read_takes_what_is_there) {
  Guest guest("read");
  Pipe pipe;
  guest.set_stream(0, pipe.input());
  pipe.give("hello, world");
  BOOST_CHECK_EQUAL(guest.call({0, data, 5}), 5);
  BOOST_CHECK_EQUAL(guest.call({0, data + 5, 60000}), 7);
  BOOST_CHECK_EQUAL(guest.get(data, 12), "hello, world");
  pipe.close_output();
  BOOST_CHECK_EQUAL(guest.call({0, data, 5}), 0);
}

BOOST_AUTO_TEST_CASE(read_fills_at_most_65536_bytes) {
  Guest guest("read");
  const int zeros = open("/dev/zero", O_RDONLY);
  guest.set_stream(0, zeros);
  BOOST_CHECK_EQUAL(guest.call({0, data, UINT64_MAX}), 65536);
  close(zeros);
}

BOOST_AUTO_TEST_CASE(streams_that_are_not_there_give_minus_9) {
  Pipe pipe;
  for (const char* name : {"read", "write"}) {
    Guest guest(name);
    BOOST_CHECK_EQUAL(guest.call({0, data, 1}), -9);
    BOOST_CHECK_EQUAL(guest.call({3, data, 1}), -9);
    BOOST_CHECK_EQUAL(guest.call({UINT64_MAX, data, 1}), -9);
    guest.set_stream(0, pipe.output());
    guest.set_stream(1, pipe.input());
    guest.set_stream(2, 1000000);  // no such descriptor
    BOOST_CHECK_EQUAL(guest.call({2, data, 1}), -9);
  }
  Guest writer("write");
  writer.set_stream(1, pipe.input());
  BOOST_CHECK_EQUAL(writer.call({1, data, 1}), -9);
}

BOOST_AUTO_TEST_CASE(what_the_host_refuses_is_told) {
  const int full = open("/dev/full", O_WRONLY);
  Guest writer("write");
  writer.set_stream(1, full);
  BOOST_CHECK_EQUAL(writer.call({1, data, 1}), -28);
  close(full);
  const int folder = open("/", O_RDONLY);
  Guest reader("read");
  reader.set_stream(0, folder);
  BOOST_CHECK_EQUAL(reader.call({0, data, 1}), -21);
  close(folder);
}

BOOST_AUTO_TEST_CASE(a_closed_pipe_gives_minus_32_and_does_not_end_the_process) {
  Guest guest("write");
  Pipe pipe;
  guest.set_stream(1, pipe.output());
  pipe.close_input();
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  BOOST_CHECK_EQUAL(guest.call({1, data, 1}), -32);
  BOOST_CHECK_EQUAL(guest.call({1, data, 1}), -32);
  sigset_t pending;
  sigemptyset(&pending);
  sigpending(&pending);
  BOOST_CHECK_EQUAL(sigismember(&pending, SIGPIPE), 0);
  std::signal(SIGPIPE, before);
}

BOOST_AUTO_TEST_CASE(what_the_process_does_about_closed_pipes_is_left_to_it) {
  Guest guest("write");
  Pipe pipe;
  guest.set_stream(1, pipe.output());
  pipe.close_input();
  static volatile std::sig_atomic_t handled;
  handled = 0;
  const auto before = std::signal(SIGPIPE, [](int) { handled = handled + 1; });
  BOOST_CHECK_EQUAL(guest.call({1, data, 1}), -32);
  BOOST_CHECK_EQUAL(handled, 1);
  std::signal(SIGPIPE, SIG_IGN);
  BOOST_CHECK_EQUAL(guest.call({1, data, 1}), -32);
  // One that the process holds back is still there.
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t pipe_signal, mask, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &mask);
  pthread_kill(pthread_self(), SIGPIPE);
  BOOST_CHECK_EQUAL(guest.call({1, data, 1}), -32);
  sigpending(&pending);
  BOOST_CHECK_EQUAL(sigismember(&pending, SIGPIPE), 1);
  int taken = 0;
  sigwait(&pipe_signal, &taken);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGPIPE, before);
}

// What README.md tells of the numbers, which are the same on every host.
BOOST_AUTO_TEST_CASE(each_error_of_the_host_has_its_number) {
  const std::pair<int, int64_t> numbers[] = {
      {EPERM, -1},   {ENOENT, -2},  {EIO, -5},     {EBADF, -9},         {ENOMEM, -12},    {EACCES, -13}, {EBUSY, -16},  {EEXIST, -17},
      {EXDEV, -18},  {ENOTDIR, -20}, {EISDIR, -21}, {EINVAL, -22},       {EMFILE, -24},    {ENFILE, -24}, {EFBIG, -27},  {EDQUOT, -28},
      {ENOSPC, -28}, {ESPIPE, -29}, {EROFS, -30},  {EPIPE, -32},        {ENAMETOOLONG, -36}, {ENOTEMPTY, -39}, {ELOOP, -40}, {ENOTTY, -5}};
  for (const auto& [of_host, number] : numbers) BOOST_CHECK_EQUAL(comet::error_of(of_host), number);
}

BOOST_AUTO_TEST_CASE(a_bad_pointer_traps_before_anything_is_moved) {
  Guest writer("write");
  Pipe output;
  writer.set_stream(1, output.output());
  writer.check_trap(COMET_TRAP_READ, constants + COMET_PAGE_SIZE, {1, data, 3 * COMET_PAGE_SIZE});
  writer.check_trap(COMET_TRAP_READ, 0x50000, {1, 0x50000, 1});
  output.close_output();
  BOOST_CHECK_EQUAL(output.take(1), "");

  Guest reader("read");
  Pipe input;
  reader.set_stream(0, input.input());
  input.give("x");
  reader.check_trap(COMET_TRAP_WRITE, constants, {0, constants - 10, 11});
  reader.check_trap(COMET_TRAP_WRITE, constants, {0, constants, 1});
  BOOST_CHECK_EQUAL(input.take(1), "x");

  Guest arg("arg");
  const char* const arguments[] = {"name"};
  comet_set_arguments(arg.machine(), 1, arguments, nullptr);
  arg.check_trap(COMET_TRAP_WRITE, constants, {0, constants - 3, 100});
  Guest random("random");
  random.check_trap(COMET_TRAP_WRITE, constants, {constants - 3, 100});
  BOOST_CHECK_EQUAL(random.get(constants - 3, 3), std::string(3, 0));
}

BOOST_AUTO_TEST_CASE(a_stream_can_be_left_to_the_embedder) {
  Guest guest("read");
  guest.set_stream(0, COMET_STREAM_EMBEDDER);
  const comet_stop stop = guest.start({0, data, 5});
  BOOST_CHECK_EQUAL(stop.reason, COMET_HOST_CALL);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  uint64_t length = 0;
  BOOST_CHECK_EQUAL(comet_host_argument(guest.machine(), 0, 2, &length, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(length, 5u);
  BOOST_CHECK_EQUAL(comet_host_complete(guest.machine(), 0, 4, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(guest.go_on().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(guest.result(), 4);
}

BOOST_AUTO_TEST_CASE(arguments_are_copied_as_far_as_there_is_room) {
  Guest count("arg_count");
  BOOST_CHECK_EQUAL(count.call({}), 0);
  const char* const arguments[] = {"name", "", "größe"};
  comet_set_arguments(count.machine(), 3, arguments, nullptr);
  BOOST_CHECK_EQUAL(count.call({}), 3);

  Guest arg("arg");
  comet_set_arguments(arg.machine(), 3, arguments, nullptr);
  arg.put(data, "........");
  BOOST_CHECK_EQUAL(arg.call({0, data, 2}), 4);
  BOOST_CHECK_EQUAL(arg.get(data, 4), "na..");
  BOOST_CHECK_EQUAL(arg.call({2, data, 100}), 7);
  BOOST_CHECK_EQUAL(arg.get(data, 8), "größe.");
  BOOST_CHECK_EQUAL(arg.call({1, 0, 100}), 0);
  BOOST_CHECK_EQUAL(arg.call({0, 0, 0}), 4);
  BOOST_CHECK_EQUAL(arg.call({3, data, 1}), -22);
}

BOOST_AUTO_TEST_CASE(the_clock_goes_forward) {
  Guest guest("clock");
  const int64_t first = guest.call({1});
  BOOST_CHECK_LE(first, guest.call({1}));
  BOOST_CHECK_GT(guest.call({0}), INT64_C(1700000000) * 1000000000);
  BOOST_CHECK_EQUAL(guest.call({2}), -22);
}

BOOST_AUTO_TEST_CASE(random_numbers_come_from_the_seed) {
  Guest guest("random");
  // xoshiro256** from SplitMix64 of 0, by the published definitions.
  comet_set_random_seed(guest.machine(), 0);
  BOOST_CHECK_EQUAL(guest.call({data, 16}), 16);
  uint64_t numbers[2];
  std::memcpy(numbers, guest.get(data, 16).data(), 16);
  const auto rotated = [](uint64_t x, int n) { return (x << n) | (x >> (64 - n)); };
  uint64_t split = 0;
  const auto split_mix = [&] {
    uint64_t z = split += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  uint64_t s[4];
  for (uint64_t& word : s) word = split_mix();
  BOOST_CHECK_EQUAL(s[0], 0xe220a8397b1dcdafu);  // the first number of SplitMix64 from 0
  for (const uint64_t number : numbers) {
    BOOST_CHECK_EQUAL(number, rotated(s[1] * 5, 7) * 9);
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0], s[3] ^= s[1], s[1] ^= s[2], s[0] ^= s[3], s[2] ^= t, s[3] = rotated(s[3], 45);
  }
  // Each call begins with a new number; more than 65536 bytes are not given at once.
  comet_set_random_seed(guest.machine(), 0);
  BOOST_CHECK_EQUAL(guest.call({data, 3}), 3);
  BOOST_CHECK_EQUAL(guest.call({data + 8, 8}), 8);
  BOOST_CHECK_EQUAL(std::memcmp(guest.get(data + 8, 8).data(), &numbers[1], 8), 0);
  BOOST_CHECK_EQUAL(guest.call({data, UINT64_MAX}), 65536);
  BOOST_CHECK_EQUAL(guest.call({data, 0}), 0);

  Guest first("random"), second("random");
  first.call({data, 32});
  second.call({data, 32});
  BOOST_CHECK(first.get(data, 32) != second.get(data, 32));
}

BOOST_AUTO_TEST_CASE(map_maps_pages_that_were_not_mapped) {
  Guest guest("map");
  constexpr uint64_t fresh = 0x100000, page = COMET_PAGE_SIZE;
  BOOST_CHECK_EQUAL(guest.call({fresh, 2 * page}), 0);
  BOOST_CHECK_EQUAL(guest.get(fresh + 2 * page - 4, 4), std::string(4, 0));
  comet_region region = COMET_REGION_INIT;
  BOOST_REQUIRE_EQUAL(comet_next_region(guest.machine(), 0, fresh, &region, nullptr), COMET_OK);
  BOOST_CHECK_EQUAL(region.protection, COMET_READ | COMET_WRITE);
  BOOST_CHECK_EQUAL(guest.call({fresh + page, page}), -17);
  BOOST_CHECK_EQUAL(guest.call({fresh - page, 2 * page}), -17);
  BOOST_CHECK_EQUAL(guest.call({code, page}), -17);  // protection is not to be changed this way
  BOOST_CHECK_EQUAL(guest.call({fresh + 1, page}), -22);
  BOOST_CHECK_EQUAL(guest.call({fresh, page - 1}), -22);
  BOOST_CHECK_EQUAL(guest.call({0 - page, 2 * page}), -22);
  BOOST_CHECK_EQUAL(guest.call({fresh, 0}), 0);
  BOOST_CHECK_EQUAL(guest.call({fresh + 2 * page, uint64_t{1} << 40}), -12);
  BOOST_CHECK_EQUAL(guest.call({0 - page, page}), 0);
}

BOOST_AUTO_TEST_CASE(waiting_for_input_can_be_stopped_and_gone_on_with) {
  Guest guest("read");
  Pipe pipe;
  guest.set_stream(0, pipe.input());
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    comet_interrupt(guest.machine());
  });
  const comet_stop stop = guest.start({0, data, 5});
  other.join();
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_EQUAL(stop.pc, code);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  pipe.give("hello");
  BOOST_CHECK_EQUAL(guest.go_on().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(guest.result(), 5);
  BOOST_CHECK_EQUAL(guest.get(data, 5), "hello");
}

BOOST_AUTO_TEST_CASE(waiting_ends_at_the_deadline_and_by_the_poll_function) {
  Guest guest("read");
  Pipe pipe;
  guest.set_stream(0, pipe.input());
  comet_set_deadline(guest.machine(), 50000000);
  BOOST_CHECK_EQUAL(guest.start({0, data, 5}).reason, COMET_INTERRUPTED);
  comet_set_deadline(guest.machine(), 0);
  int polls = 0;
  comet_set_poll(
      guest.machine(), [](void* count) { return static_cast<int>(++*static_cast<int*>(count) == 3); },
      &polls);
  BOOST_CHECK_EQUAL(guest.start({0, data, 5}).reason, COMET_INTERRUPTED);
  BOOST_CHECK_EQUAL(polls, 3);
}

BOOST_AUTO_TEST_CASE(a_write_to_a_full_pipe_can_be_stopped) {
  Guest guest("write");
  Pipe pipe;
  guest.set_stream(1, pipe.output());
  comet_map(guest.machine(), 0, 0x100000, 1 << 20, COMET_READ | COMET_WRITE, nullptr);
  comet_set_deadline(guest.machine(), 50000000);
  guest.start({1, 0x100000, 1 << 20});
  // Something went out, so that the call is done; the run stopped at the next look.
  const int64_t written = guest.result();
  BOOST_CHECK_GT(written, 0);
  BOOST_CHECK_LT(written, 1 << 20);
  // Now the pipe is full: nothing goes out, and the call is not executed.
  comet_set_deadline(guest.machine(), 50000000);
  const comet_stop stop = guest.start({1, 0x100000, 1 << 20});
  BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
}

BOOST_AUTO_TEST_CASE(a_long_write_that_never_waits_can_be_stopped) {
  Guest guest("write");
  const int sink = open("/dev/null", O_WRONLY);
  BOOST_REQUIRE_GE(sink, 0);
  guest.set_stream(1, sink);
  constexpr uint64_t length = UINT64_C(1) << 29;
  BOOST_REQUIRE_EQUAL(comet_map(guest.machine(), 0, 0x100000, length, COMET_READ, nullptr), COMET_OK);
  comet_set_deadline(guest.machine(), 20000000);
  guest.start({1, 0x100000, length});
  BOOST_CHECK_GT(guest.result(), 0);
  BOOST_CHECK_LT(guest.result(), static_cast<int64_t>(length));
  close(sink);
}

BOOST_AUTO_TEST_SUITE_END()
