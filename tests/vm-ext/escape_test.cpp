// Programs that try to get out. Each ends in the trap that it deserves, and what was not theirs is as it was.
//
// Addresses at every edge are held against a model of three lines: a byte may be touched if its page is mapped with the
// right, and an access touches all of its bytes or none.
#include <cstring>
#include <optional>

#include "support.h"

using namespace support;

BOOST_AUTO_TEST_SUITE(escape)

namespace {

constexpr std::uint64_t page = COMET_PAGE_SIZE;
constexpr std::uint64_t window = 8 * page;  // of the fast path; a page lies in it at its end, and one behind it

struct area {
  std::uint64_t address;
  int protection;
};

const area areas[] = {{code_address, read_execute},  {2 * page, read_write}, {3 * page, COMET_READ}, {5 * page, 0},
                      {7 * page, read_write},        {8 * page, read_write}, {10 * page, COMET_READ},
                      {UINT64_MAX - page + 1, read_write}};

std::optional<int> protection_at(std::uint64_t address) {
  for (const area& one : areas)
    if (address - one.address < page) return one.protection;
  return std::nullopt;
}

// The first byte that an access must not touch: behind the end of the address space there is none that it may.
std::optional<std::uint64_t> denied(std::uint64_t address, std::uint64_t length, int access) {
  for (std::uint64_t n = 0; n < length; ++n) {
    const std::optional<int> protection = protection_at(address + n);
    if (address + n < address || !protection || (*protection & access) == 0) return address + n;
  }
  return std::nullopt;
}

machine victim(const code& program) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  config.register_limit = 1000;
  config.call_depth_limit = 100;
  machine vm(&config);
  for (const area& one : areas) vm.map(one.address, page, one.protection);
  vm.write(program.address(), program.content());
  for (const area& one : areas)
    if (one.address != code_address) vm.write(one.address, bytes(page, 0xa5));
  vm.restart(program.address());
  return vm;
}

// Addresses around every edge of a page or the window, and where numbers wrap.
std::vector<std::uint64_t> edges(std::uint64_t reach) {
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> around = {0, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 47, UINT64_C(1) << 63};
  for (const area& one : areas) around.insert(around.end(), {one.address, one.address + page});
  for (const std::uint64_t edge : around)
    for (std::uint64_t n = 0; n <= 2 * reach; ++n) found.push_back(edge - reach + n);
  return found;
}

// Pages that a program may not write are as they were.
void check_untouched(machine& vm) {
  for (const area& one : areas)
    if (one.address != code_address && (one.protection & COMET_WRITE) == 0)
      BOOST_REQUIRE(vm.read(one.address, page) == bytes(page, 0xa5));
}

}  // namespace

BOOST_AUTO_TEST_CASE(block_operations_keep_to_their_bytes_whatever_their_lengths) {
  const std::uint64_t lengths[] = {0, 1, 7, page - 1, page, page + 1, 3 * page, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
  machine fill = victim(code().add("bfill", {2, 3, 4})), copy = victim(code().add("bcopy", {2, 3, 4}));
  for (const std::uint64_t address : edges(2)) {
    for (const std::uint64_t length : lengths) {
      const auto expect = [&](machine& vm, bool traps) {
        const comet_stop stop = vm.run(1);
        BOOST_REQUIRE_EQUAL(stop.reason, traps ? COMET_TRAP : COMET_OUT_OF_FUEL);
        if (traps) BOOST_REQUIRE(stop.trap == COMET_TRAP_READ || stop.trap == COMET_TRAP_WRITE);
      };
      // No run of pages here is longer than three; a longer block is wrong somewhere among its first bytes.
      const std::uint64_t looked = std::min(length, 4 * page);
      const auto may = [&](std::uint64_t at, int access) {
        const bool wraps = length != 0 && at + (length - 1) < at;
        return length == 0 || (!wraps && length <= 3 * page && !denied(at, looked, access));
      };
      BOOST_TEST_CONTEXT("address " << address << ", length " << length) {
        fill.restart(code_address);
        fill.set(2, address);
        fill.set(3, 0xa5);
        fill.set(4, length);
        expect(fill, !may(address, COMET_WRITE));
        for (const auto& [to, from] : {std::pair{address, 2 * page}, std::pair{2 * page, address}}) {
          copy.restart(code_address);
          copy.set(2, to);
          copy.set(3, from);
          copy.set(4, length);
          expect(copy, !may(to, COMET_WRITE) || !may(from, COMET_READ));
        }
      }
    }
  }
  check_untouched(fill);
  check_untouched(copy);
}

BOOST_AUTO_TEST_CASE(jumps_to_where_no_code_is_trap_there) {
  for (const std::uint64_t target : {UINT64_C(0), 2 * page, 3 * page, 4 * page, 5 * page, window, 10 * page, UINT64_MAX}) {
    machine vm = victim(code().add("jumpr", {1}));
    vm.set(1, target);
    const comet_stop stop = vm.run(10);
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_EXECUTE);
    BOOST_CHECK_EQUAL(stop.address, target);
    BOOST_CHECK_EQUAL(stop.executed, 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_jump_into_the_middle_of_an_instruction_executes_what_stands_there) {
  // The number of `imm` is, read by itself, `halt`.
  code program;
  program.add("jump", {code_address + 4}).add("imm", {1, 127}).add("brk");
  bytes content = program.content();
  BOOST_REQUIRE_EQUAL(content[4], 127);
  machine vm(program);
  const comet_stop stop = vm.run(10);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.pc, code_address + 4);
}

BOOST_AUTO_TEST_CASE(an_instruction_that_runs_off_its_pages_traps) {
  machine vm = victim(code());
  // `imm r1,` and then the page ends; what follows may be read and not executed.
  vm.write(code_address + page - 2, {0x03, 0x81});
  vm.restart(code_address + page - 2);
  const comet_stop stop = vm.run(10);
  BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
}

BOOST_AUTO_TEST_CASE(code_is_not_written_where_it_may_not_be) {
  machine vm = victim(code().add("st8", {2, 3, 0}));
  vm.set(2, code_address);
  const comet_stop stop = vm.run(10);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_WRITE);
  BOOST_CHECK_EQUAL(stop.address, code_address);
}

BOOST_AUTO_TEST_CASE(code_that_writes_over_itself_executes_what_it_wrote) {
  code program;
  program.add("st8", {2, 3, 0});
  const std::uint64_t next = program.here();
  program.add("brk").add("brk");
  machine vm;
  vm.load(program, all_rights);
  vm.restart(code_address);
  vm.set(2, next);
  vm.set(3, 127);  // halt
  BOOST_CHECK_EQUAL(vm.run(10).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_return_without_a_call_halts_and_goes_nowhere) {
  machine vm = victim(code().add("ret"));
  for (std::uint64_t n = 0; n < 16; ++n) vm.set(n + 1, 2 * page);
  const comet_stop stop = vm.run(10);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.info().activations, 1u);
}

BOOST_AUTO_TEST_CASE(return_addresses_are_not_in_memory_or_registers) {
  // A callee that writes all of its memory and registers comes back to where it was called.
  code program;
  program.add("call", {8, code_address + 64}).add("halt");
  code callee(code_address + 64);
  callee.add("bfill", {2, 3, 4});
  for (std::uint64_t n = 1; n < 40; ++n) callee.add("imm", {n, 0x4141});
  callee.add("ret");
  machine vm = victim(program);
  vm.write(callee.address(), callee.content());
  vm.restart(code_address);
  vm.set(10, 2 * page);
  vm.set(11, 0x41);
  vm.set(12, page);
  const comet_stop stop = vm.run(100);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(windows_and_registers_beyond_the_limit_trap) {
  for (const std::uint64_t base : {UINT64_C(1) << 20, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX}) {
    for (const char* name : {"call", "callr", "imm", "mov", "hcall"}) {
      const bool target = std::strcmp(name, "call") == 0;
      machine vm = victim(code().add(name, {base, target ? code_address : 0}));
      const comet_stop stop = vm.run(1);
      BOOST_TEST_CONTEXT(name << " " << base) {
        BOOST_CHECK_EQUAL(stop.reason, COMET_TRAP);
        BOOST_CHECK(stop.trap == COMET_TRAP_WINDOW || stop.trap == COMET_TRAP_HOST_CALL);
        BOOST_CHECK_EQUAL(stop.executed, 0u);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(each_resource_is_exhausted_with_its_own_reason) {
  machine deep = victim(code().add("call", {0, code_address}));
  BOOST_CHECK_EQUAL(deep.run().trap, COMET_TRAP_CALL_DEPTH);
  BOOST_CHECK_EQUAL(deep.info().activations, 100u);
  machine wide = victim(code().add("call", {90, code_address}));
  BOOST_CHECK_EQUAL(wide.run().trap, COMET_TRAP_WINDOW);
  machine endless = victim(code().add("jump", {code_address}));
  BOOST_CHECK_EQUAL(endless.run(1000).reason, COMET_OUT_OF_FUEL);
  comet_set_deadline(endless, 1000000);
  BOOST_CHECK_EQUAL(endless.run().reason, COMET_INTERRUPTED);
}

// Each call is given every combination of these for its first three arguments.
BOOST_AUTO_TEST_CASE(standard_host_calls_end_well_whatever_their_arguments) {
  const char* const calls[] = {"read", "write", "poll", "arg_count", "arg", "env_count", "env", "clock", "random", "map"};
  const std::uint64_t values[] = {0, 1, 3, 2 * page, 3 * page - 1, 3 * page, 5 * page, UINT64_C(1) << 47, UINT64_MAX - page, UINT64_MAX};
  for (const char* call : calls) {
    machine vm = victim(code().add("hcall", {1, 0}));
    for (const char* group : {"clock", "random"}) SUPPORT_OK(comet_host_grant_standard(vm, group, error));
    for (unsigned stream = 0; stream < 3; ++stream) SUPPORT_OK(comet_set_stream(vm, stream, COMET_STREAM_NONE, error));
    vm.import(call);
    BOOST_TEST_CONTEXT(call) {
      for (const std::uint64_t a : values)
        for (const std::uint64_t b : values)
          for (const std::uint64_t c : values) {
            vm.restart(code_address);
            vm.set(2, a);
            vm.set(3, b);
            vm.set(4, c);
            // A call that waits for ever is interrupted.
            comet_set_deadline(vm, 1000000);
            const comet_stop stop = vm.run(1);
            comet_set_deadline(vm, 0);
            const bool well = stop.reason == COMET_OUT_OF_FUEL || stop.reason == COMET_INTERRUPTED ||
                              (stop.reason == COMET_TRAP && (stop.trap == COMET_TRAP_READ || stop.trap == COMET_TRAP_WRITE));
            BOOST_TEST_CONTEXT(a << " " << b << " " << c << ": " << stop.message) { BOOST_REQUIRE(well); }
          }
      check_untouched(vm);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
