// Programs that call the host with whatever they like. Each standard call, also of groups that come later, ends in its
// result or in the trap that it deserves; what was not the program's is as it was, and the host keeps nothing.
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "victim.h"
#include "vm-ext/host/file_calls.h"
#include "vm-ext/host/standard.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_of_all_calls() {
  std::vector<std::string> names;
  for (const comet::StandardCall& call : comet::standard_calls) names.emplace_back(call.name);
  for (const comet::StandardCall& call : comet::internal_calls) names.emplace_back(call.name);
  for (const comet::FileCall& call : comet::file_calls) names.emplace_back(call.name);
  return names;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

// A folder of the host with a file in it, beside one that is no program's affair.
class folder {
 public:
  folder() {
    std::string name = (fs::temp_directory_path() / "comet-hostile-XXXXXX").string();
    BOOST_REQUIRE(mkdtemp(name.data()) != nullptr);
    root_ = name;
    fs::create_directories(root_ / "granted/deep");
    std::ofstream(root_ / "granted/file") << "content";
    std::ofstream(root_ / "secret") << "secret";
  }
  ~folder() { fs::remove_all(root_); }
  fs::path granted() const { return root_ / "granted"; }
  // What is not the program's is as it was.
  void check() const {
    std::string content;
    std::ifstream(root_ / "secret") >> content;
    BOOST_CHECK_EQUAL(content, "secret");
    std::size_t entries = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(root_)) ++entries;
    BOOST_CHECK_EQUAL(entries, 2u);
  }

 private:
  fs::path root_;
};

// A machine that was given everything, about to make one call.
machine caller(const std::string& name, const folder& files) {
  machine vm = victim(code().add("hcall", {1, 0}));
  for (const char* group : {"clock", "random"}) SUPPORT_OK(comet_host_grant_standard(vm, group, error));
  for (unsigned stream = 0; stream < 3; ++stream) SUPPORT_OK(comet_set_stream(vm, stream, COMET_STREAM_NONE, error));
  SUPPORT_OK(comet_grant_directory(vm, files.granted().c_str(), "/", COMET_READ | COMET_WRITE, error));
  const char* const texts[] = {"program", "A=B"};
  SUPPORT_OK(comet_set_arguments(vm, 2, texts, error));
  SUPPORT_OK(comet_set_environment(vm, 1, texts + 1, error));
  vm.import(name);
  return vm;
}

// What the thread has of timers and handlers stays. `deadline`: nanoseconds, for a call that waits for ever.
constexpr std::uint64_t brief = 1000000, long_enough = 60000000000;
comet_stop call(machine& vm, const std::vector<std::uint64_t>& arguments, std::uint64_t deadline = brief) {
  vm.set_pc(code_address);
  for (std::size_t n = 0; n < arguments.size(); ++n) vm.set(n + 2, arguments[n]);
  comet_set_deadline(vm, deadline);
  const comet_stop stop = vm.run(1);
  comet_set_deadline(vm, 0);
  return stop;
}

bool ended_well(const comet_stop& stop) {
  switch (stop.reason) {
    case COMET_OUT_OF_FUEL:
    case COMET_INTERRUPTED:
    case COMET_WAITING:
    case COMET_HALTED: return true;
    case COMET_TRAP: return stop.trap == COMET_TRAP_READ || stop.trap == COMET_TRAP_WRITE;
    default: return false;
  }
}

// Numbers, and addresses: of nothing, of pages of each kind, across their ends, where addresses wrap.
const std::vector<std::uint64_t> values = {0,        1,        3,         2 * page,  3 * page - 1,         3 * page,
                                           5 * page, 8 * page, 12 * page, UINT64_C(1) << 47, UINT64_MAX - page, UINT64_MAX};

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile_calls)

BOOST_AUTO_TEST_CASE(each_call_ends_well_whatever_its_arguments) {
  const std::size_t before = open_descriptors();
  for (const std::string& name : names_of_all_calls()) {
    const folder files;
    {
      machine vm = caller(name, files);
      // Every pair of the first two; for what comes behind them, values in turn.
      std::size_t turn = 0;
      for (const std::uint64_t a : values)
        for (const std::uint64_t b : values)
          for (std::size_t round = 0; round < 4; ++round) {
            std::vector<std::uint64_t> arguments = {a, b};
            while (arguments.size() < 7) arguments.push_back(values[(turn += 5 + round) % values.size()]);
            vm.restart(code_address);
            const comet_stop stop = call(vm, arguments);
            if (ended_well(stop)) continue;
            BOOST_ERROR(name << " " << a << " " << b << " " << arguments[2] << ": " << comet_reason_name(stop.reason) << " " << stop.message);
          }
      check_untouched(vm);
    }
    files.check();
  }
  BOOST_CHECK_EQUAL(open_descriptors(), before);
}

// Each pointer of each call, with all else as it should be.
BOOST_AUTO_TEST_CASE(each_pointer_is_held_against_the_rights_of_the_page) {
  constexpr std::uint64_t pointer = UINT64_MAX - 1;  // stands for the one that is tried
  constexpr std::uint64_t text = 2 * page, directory = 3, file = 4;
  struct row {
    const char* name;
    std::vector<std::uint64_t> arguments;
    std::uint64_t length;
    int right;
  };
  const row rows[] = {
      {"read", {file, pointer, 7}, 7, COMET_WRITE},
      {"write", {file, pointer, 7}, 7, COMET_READ},
      {"poll", {pointer, text, 1}, 48, COMET_READ},
      {"poll", {text, pointer, 1}, 32, COMET_WRITE},
      {"arg", {0, pointer, 100}, 7, COMET_WRITE},
      {"env", {0, pointer, 100}, 3, COMET_WRITE},
      {"random", {pointer, 9}, 9, COMET_WRITE},
      {"file_open", {directory, pointer, 4, 1}, 4, COMET_READ},
      {"file_read_at", {file, pointer, 7, 0}, 7, COMET_WRITE},
      {"file_write_at", {file, pointer, 7, 0}, 7, COMET_READ},
      {"dir_name", {directory, pointer, 100}, 1, COMET_WRITE},
      {"dir_list", {directory, pointer, 64, 0}, 64, COMET_WRITE},
      {"file_status", {file, pointer}, 64, COMET_WRITE},
      {"path_status", {directory, pointer, 4, 0, text}, 4, COMET_READ},
      {"path_status", {directory, text, 4, 0, pointer}, 64, COMET_WRITE},
      {"path_set_times", {directory, pointer, 4, 0, 0, 0, 10}, 4, COMET_READ},
      {"path_make_dir", {directory, pointer, 4}, 4, COMET_READ},
      {"path_remove_dir", {directory, pointer, 4}, 4, COMET_READ},
      {"path_remove", {directory, pointer, 4}, 4, COMET_READ},
      {"path_rename", {directory, pointer, 4, directory, text, 4}, 4, COMET_READ},
      {"path_rename", {directory, text, 4, directory, pointer, 4}, 4, COMET_READ},
      {"path_link", {directory, pointer, 4, directory, text, 4}, 4, COMET_READ},
      {"path_link", {directory, text, 4, directory, pointer, 4}, 4, COMET_READ},
      {"path_make_link", {directory, pointer, 4, text, 4}, 4, COMET_READ},
      {"path_make_link", {directory, text, 4, pointer, 4}, 4, COMET_READ},
      {"path_read_link", {directory, pointer, 4, text, 64}, 4, COMET_READ},
      {"path_read_link", {directory, text, 4, pointer, 64}, 64, COMET_WRITE},
  };
  const folder files;
  for (const row& one : rows) {
    machine vm = caller("file_open", files);
    vm.write(text, {'f', 'i', 'l', 'e'});
    call(vm, {directory, text, 4, 3}, long_enough);
    BOOST_REQUIRE_EQUAL(vm.get(2), file);
    vm.write(code_address, code().add("hcall", {1, vm.import(one.name)}).content());
    for (const std::uint64_t address : edges(one.length)) {
      const auto byte = denied(address, one.length, one.right);
      if (!byte) continue;
      std::vector<std::uint64_t> arguments = one.arguments;
      std::replace(arguments.begin(), arguments.end(), pointer, address);
      const comet_stop stop = call(vm, arguments, long_enough);
      BOOST_TEST_CONTEXT(one.name << " with " << address << ": " << stop.message) {
        BOOST_REQUIRE_EQUAL(stop.trap, one.right == COMET_READ ? COMET_TRAP_READ : COMET_TRAP_WRITE);
        BOOST_REQUIRE_EQUAL(stop.address, *byte);
        BOOST_REQUIRE_EQUAL(vm.get(2), arguments[0]);
      }
    }
    check_untouched(vm);
    // The content was not read either: the file is at its beginning.
    vm.write(code_address, code().add("hcall", {1, vm.import("file_seek")}).content());
    call(vm, {file, 0, 1}, long_enough);
    BOOST_CHECK_EQUAL(vm.get(2), 0u);
  }
  std::string content;
  std::ifstream(files.granted() / "file") >> content;
  BOOST_CHECK_EQUAL(content, "content");
  files.check();
}

BOOST_AUTO_TEST_CASE(words_to_wait_for_are_aligned_and_may_be_read) {
  for (const auto& [name, length] : {std::pair{"wait32", 4u}, std::pair{"wait64", 8u}}) {
    const folder files;
    machine vm = caller(name, files);
    for (const std::uint64_t address : edges(length)) {
      const comet_stop stop = call(vm, {address, 1, UINT64_MAX}, long_enough);
      const auto byte = denied(address, length, COMET_READ);
      BOOST_TEST_CONTEXT(name << " " << address << ": " << stop.message) {
        if (address % length != 0) BOOST_CHECK_EQUAL(vm.get(2), static_cast<std::uint64_t>(-22));
        else if (byte) BOOST_CHECK(stop.trap == COMET_TRAP_READ && stop.address == *byte);
        else BOOST_CHECK_EQUAL(vm.get(2), 1u);  // another value stands there
      }
    }
  }
  // Nobody waits anywhere, and no address is looked at.
  const folder files;
  machine vm = caller("notify", files);
  for (const std::uint64_t address : edges(8)) {
    BOOST_CHECK_EQUAL(call(vm, {address, UINT64_MAX}, long_enough).reason, COMET_OUT_OF_FUEL);
    BOOST_CHECK_EQUAL(vm.get(2), 0u);
  }
}

BOOST_AUTO_TEST_CASE(who_takes_all_there_is_gets_an_error_and_goes_on) {
  struct row {
    const char* name;
    std::vector<std::uint64_t> arguments;
    std::size_t stepped;  // the argument that grows with each call
    std::uint64_t step;
    std::uint64_t most;  // calls that do what they should
    std::int64_t error;
  };
  const row rows[] = {
      {"spawn", {code_address, 0}, 1, 1, 63, -11},
      {"timer", {0, 1000000000000, 0}, 0, 1, 64, -12},
      {"on", {5, 0, code_address, 0}, 1, 1, 64, -12},
      {"file_open", {3, 2 * page, 4, 1}, 4, 0, 255, -24},
      {"map", {16 * page, page}, 0, page, 64 - 9, -12},
  };
  for (const row& one : rows) {
    const folder files;
    machine vm = caller(one.name, files);
    comet_limits limits = COMET_LIMITS_INIT;
    SUPPORT_OK(comet_get_limits(vm, &limits, error));
    limits.memory = 64 * page;
    SUPPORT_OK(comet_set_limits(vm, &limits, error));
    vm.write(2 * page, {'f', 'i', 'l', 'e'});
    std::vector<std::uint64_t> arguments = one.arguments;
    arguments.resize(5);
    BOOST_TEST_CONTEXT(one.name) {
      for (std::uint64_t n = 0; n <= one.most + 1; ++n) {
        call(vm, arguments);
        const auto result = static_cast<std::int64_t>(vm.get(2));
        BOOST_TEST_CONTEXT("call " << n) {
          if (n < one.most) BOOST_REQUIRE_GE(result, 0);
          else BOOST_REQUIRE_EQUAL(result, one.error);
        }
        arguments[one.stepped] += one.step;
      }
      // The rest of the machine does as before.
      vm.write(code_address, code().add("hcall", {1, vm.import("self")}).content());
      call(vm, {1});
      BOOST_CHECK_EQUAL(vm.get(2), 0u);
      check_untouched(vm);
    }
  }
}

// Threads that make each other, wait for each other, wake and leave at random, and write over the code that others execute.
// Whatever comes of it, it comes again, also when the run is cut into pieces.
BOOST_AUTO_TEST_CASE(threads_that_race_do_the_same_again_and_harm_nobody) {
  constexpr std::uint64_t functions = 6, function_length = 512, shared = 14 * page;
  const char* const names[] = {"spawn", "join", "leave", "self", "yield", "wait32", "wait64", "notify", "on", "pause", "map"};
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 draw(seed);
    const auto any = [&](std::uint64_t below) { return draw() % below; };
    const auto function = [&] { return shared + function_length * any(functions); };
    bytes content(page);
    for (std::uint64_t n = 0; n < functions; ++n) {
      code text(shared + function_length * n);
      for (int step = 0; step < 12; ++step) {
        const std::uint64_t call = any(std::size(names));
        const std::uint64_t first[] = {function(), any(8), 1 + any(7), shared + 8 * any(4), 15 * page + 8 * any(4), any(64) * page};
        text.add("imm", {11, first[any(std::size(first))]}).add("imm", {12, any(4)}).add("imm", {13, function()}).add("imm", {14, any(9)});
        if (any(4) == 0) text.add("imm", {20, function() + any(64)}).add("imm", {21, draw()}).add("st8", {20, 21, 0});
        if (any(5) == 0) text.add("imm", {20, 15 * page}).add("aadd64", {21, 20, 12});
        text.add("hcall", {10, call});
      }
      if (any(3) == 0) text.add("ret");
      else text.add("jump", {function()});
      std::copy(text.content().begin(), text.content().end(), content.begin() + static_cast<std::ptrdiff_t>(function_length * n));
    }
    const auto make = [&] {
      machine vm = victim(code().add("jump", {shared}));
      vm.map(shared, page, all_rights);
      vm.map(shared + page, page, read_write);
      vm.write(shared, content);
      for (const char* name : names) vm.import(name);
      for (unsigned stream = 0; stream < 3; ++stream) SUPPORT_OK(comet_set_stream(vm, stream, COMET_STREAM_NONE, error));
      SUPPORT_OK(comet_schedule_set(vm, 1 + seed % 5, seed, error));
      return vm;
    };
    constexpr std::uint64_t fuel = 20000;
    machine whole = make(), again = make(), pieces = make();
    const comet_stop end = whole.run(fuel, COMET_EVERY_THREAD), same = again.run(fuel, COMET_EVERY_THREAD);
    comet_stop last = COMET_STOP_INIT;
    for (std::uint64_t left = fuel; left != 0; left -= last.executed) {
      last = pieces.run(std::min<std::uint64_t>(left, 1 + left % 97), COMET_EVERY_THREAD);
      if (last.reason != COMET_OUT_OF_FUEL) break;
    }
    BOOST_TEST_CONTEXT("seed " << seed << ": " << comet_reason_name(end.reason) << " " << end.message) {
      BOOST_CHECK(end.reason == COMET_TRAP || ended_well(end));
      BOOST_CHECK_EQUAL(end.reason, same.reason);
      BOOST_CHECK_EQUAL(end.reason, last.reason);
      BOOST_CHECK_EQUAL(end.executed, same.executed);
      const hash wanted = whole.state_hash();
      BOOST_CHECK(again.state_hash() == wanted);
      BOOST_CHECK(pieces.state_hash() == wanted);
    }
    check_untouched(whole);
  }
}

BOOST_AUTO_TEST_SUITE_END()
