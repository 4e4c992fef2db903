// Programs that try to get out. Each ends in the trap that it deserves, and what was not theirs is as it was.
#include <cstring>

#include "state_files.h"
#include "victim.h"
#include "vm-ext/state/saved_state.h"

using namespace support;

BOOST_AUTO_TEST_SUITE(escape)

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

BOOST_AUTO_TEST_CASE(code_ends_where_the_address_space_does) {
  for (const char* const last : {"halt", "nop", "ret"}) {
    const bytes one = code().add(last).content();
    const std::uint64_t at = 0 - static_cast<std::uint64_t>(one.size());
    machine vm;
    vm.map(0, 1, read_write);
    vm.map(at, one.size(), read_execute);
    vm.write(at, one);
    vm.restart(at);
    const comet_stop stop = vm.run(10);
    if (last == std::string("nop")) {
      BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_EXECUTE);
      BOOST_CHECK_EQUAL(stop.address, 0u);
    } else {
      BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    }
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

BOOST_AUTO_TEST_CASE(activations_that_were_forged_in_a_file_lead_nowhere_else) {
  // Saved within a function that is about to return.
  code program;
  program.add("call", {8, code_address + 64});
  code callee(code_address + 64);
  callee.add("ret");
  machine vm = victim(program);
  vm.write(callee.address(), callee.content());
  BOOST_REQUIRE_EQUAL(vm.run(1).reason, COMET_OUT_OF_FUEL);
  bytes file;
  SUPPORT_OK(comet_state_save(vm, nullptr, append, &file, nullptr, error));
  const found_record thread = record(file, "THRD");
  const std::size_t inner = thread.content + thread.length - 24;  // function, return address, window
  BOOST_REQUIRE_EQUAL(number_at(file, inner, 8), callee.address());
  BOOST_REQUIRE_EQUAL(number_at(file, inner + 16, 8), 8u);

  for (const std::size_t field : {0, 8, 16}) {
    for (const std::uint64_t value : {UINT64_C(0), UINT64_C(1), UINT64_C(999), UINT64_C(1000), UINT64_C(1001), code_address + 1, 2 * page, 3 * page,
                                      5 * page, window, 12 * page, UINT64_C(1) << 32, UINT64_C(1) << 47, UINT64_C(1) << 63, UINT64_MAX}) {
      // A forger knows how the state's hash is made.
      comet_state* known = nullptr;
      SUPPORT_OK(comet_state_read(file.data(), file.size(), nullptr, &known, error));
      comet::ThreadState::Call& call = known->threads.at(0).calls.back();
      (field == 0 ? call.function : field == 8 ? call.return_address : call.window) = value;
      const comet::Hash128 identity = comet::identity_of(*known);
      comet_state_free(known);
      bytes forged = file;
      put_at(forged, inner + field, value, 8);
      std::copy(identity.begin(), identity.end(), forged.begin() + static_cast<std::ptrdiff_t>(record(file, "DONE").content));
      forged = sealed(forged);
      BOOST_TEST_CONTEXT("field at " << field << " is " << value) {
        comet_state* read = nullptr;
        const comet_status status = comet_state_read(forged.data(), forged.size(), nullptr, &read, nullptr);
        BOOST_REQUIRE(status == COMET_OK || (status == COMET_ERROR_FORMAT && field == 16));
        if (status != COMET_OK) continue;
        const state from(read);
        machine other = victim(code());
        const comet_status restored = comet_state_restore(other, from, nullptr);
        BOOST_REQUIRE(restored == COMET_OK || (restored == COMET_ERROR_MEMORY && field == 16));
        if (restored != COMET_OK) continue;
        const comet_stop stop = other.run(1);
        BOOST_CHECK_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
        if (field == 8) BOOST_CHECK_EQUAL(stop.pc, value);
        const comet_stop next = other.run(1);
        const auto protection = protection_at(stop.pc);
        if (!protection || (*protection & COMET_EXECUTE) == 0) {
          BOOST_CHECK_EQUAL(next.trap, COMET_TRAP_EXECUTE);
          BOOST_CHECK_EQUAL(next.address, stop.pc);
        }
        check_untouched(other);
      }
    }
  }
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

BOOST_AUTO_TEST_SUITE_END()
