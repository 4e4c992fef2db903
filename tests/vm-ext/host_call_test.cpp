// Host calls: the import list, grants, pending calls, pointers that the guest may not use, the standard ones.
#include <cerrno>
#include <cstring>

#include <unistd.h>

#include "support.h"

using namespace support;

namespace {

struct served {
  int times = 0;
  comet_thread thread = 99;
  comet_machine* machine = nullptr;
  std::uint64_t arguments[4] = {};
};

comet_status serve(comet_call* call, void* data) {
  auto& seen = *static_cast<served*>(data);
  ++seen.times;
  seen.thread = comet_call_thread(call);
  seen.machine = comet_call_machine(call);
  for (unsigned n = 0; n < 4; ++n) seen.arguments[n] = comet_call_argument(call, n);
  comet_call_result(call, 4711);
  return COMET_OK;
}

code calling(std::uint64_t index = 0) { return code().add("hcall", {10, index}).add("halt"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(host_calls)

BOOST_AUTO_TEST_CASE(a_call_gets_its_arguments_and_gives_its_result) {
  machine vm(calling());
  served seen;
  vm.import("serve");
  SUPPORT_OK(comet_host_grant(vm, "serve", serve, &seen, error));
  for (std::uint64_t n = 0; n < 4; ++n) vm.set(11 + n, 100 + n);
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.executed, 2u);
  BOOST_CHECK_EQUAL(seen.times, 1);
  BOOST_CHECK_EQUAL(seen.thread, 0u);
  BOOST_CHECK(seen.machine == vm.get());
  for (std::uint64_t n = 0; n < 4; ++n) BOOST_CHECK_EQUAL(seen.arguments[n], 100 + n);
  BOOST_CHECK_EQUAL(vm.get(11), 4711u);
  BOOST_CHECK_EQUAL(vm.get(12), 101u);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_granted_traps_until_it_is) {
  machine vm(calling());
  served seen;
  vm.import("serve");
  comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  BOOST_CHECK(std::strstr(stop.message, "serve") != nullptr);
  SUPPORT_OK(comet_host_grant(vm, "serve", serve, &seen, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  SUPPORT_OK(comet_host_revoke(vm, "serve", error));
  vm.set_pc(code_address);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(seen.times, 1);
}

BOOST_AUTO_TEST_CASE(an_index_behind_the_list_traps) {
  for (const std::uint64_t index : {std::uint64_t{1}, std::uint64_t{1} << 32, UINT64_MAX}) {
    machine vm(calling(index));
    vm.import("exit");
    BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_HOST_CALL);
  }
}

BOOST_AUTO_TEST_CASE(granting_again_replaces) {
  machine vm(calling());
  served first, second;
  vm.import("serve");
  SUPPORT_OK(comet_host_grant(vm, "serve", serve, &first, error));
  SUPPORT_OK(comet_host_grant(vm, "serve", serve, &second, error));
  vm.run();
  BOOST_CHECK_EQUAL(first.times, 0);
  BOOST_CHECK_EQUAL(second.times, 1);
}

BOOST_AUTO_TEST_CASE(the_import_list_keeps_its_order_and_has_no_name_twice) {
  machine vm;
  BOOST_CHECK_EQUAL(vm.import("one"), 0u);
  BOOST_CHECK_EQUAL(vm.import("two"), 1u);
  BOOST_CHECK_EQUAL(vm.import("one"), 0u);
  BOOST_CHECK_EQUAL(std::string(comet_host_import_name(vm, 1)), "two");
  BOOST_CHECK(comet_host_import_name(vm, 2) == nullptr);
  BOOST_CHECK(comet_host_import_name(vm, UINT32_MAX) == nullptr);
}

BOOST_AUTO_TEST_CASE(names_have_1_to_63_plain_letters) {
  machine vm;
  const std::string longest(63, 'x');
  SUPPORT_OK(comet_host_grant(vm, longest.c_str(), nullptr, nullptr, error));
  SUPPORT_OK(comet_host_grant(vm, "a-Z_0.9", nullptr, nullptr, error));
  std::uint32_t index = 0;
  for (const std::string& name : {std::string(), std::string(64, 'x'), std::string("a b"), std::string("a\n"),
                                  std::string("\xc3\xa4")}) {
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant(vm, name.c_str(), nullptr, nullptr, error));
    SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_import(vm, name.c_str(), &index, error));
  }
  comet_error error = COMET_ERROR_INIT;
  comet_host_import(vm, "a\n\x1b[2J", &index, &error);
  BOOST_CHECK(std::string(error.message).starts_with("`a??[2J` is no name"));
  comet_host_import(vm, "\xc2\xa7", &index, &error);
  BOOST_CHECK(std::string(error.message).starts_with("`\xc2\xa7` is no name"));
}

BOOST_AUTO_TEST_CASE(a_call_without_function_waits_for_the_embedder) {
  machine vm(calling());
  vm.import("ask");
  SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
  vm.set(11, 5);
  vm.set(12, 6);
  for (int n = 0; n < 2; ++n) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_HOST_CALL);
    BOOST_CHECK_EQUAL(stop.host_call, 0u);
    BOOST_CHECK_EQUAL(stop.pc, code_address);
    BOOST_CHECK_EQUAL(stop.executed, 0u);
  }
  std::uint64_t value = 0;
  SUPPORT_OK(comet_host_argument(vm, 0, 0, &value, error));
  BOOST_CHECK_EQUAL(value, 5u);
  SUPPORT_OK(comet_host_argument(vm, 0, 1, &value, error));
  BOOST_CHECK_EQUAL(value, 6u);
  SUPPORT_OK(comet_host_argument(vm, 0, UINT32_MAX, &value, error));
  BOOST_CHECK_EQUAL(value, 0u);  // no such register
  SUPPORT_OK(comet_host_complete(vm, 0, 99, error));
  BOOST_CHECK_EQUAL(vm.get(11), 99u);
  BOOST_CHECK_EQUAL(vm.info().instruction_count, 1u);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_complete(vm, 0, 1, error));
}

BOOST_AUTO_TEST_CASE(a_function_may_leave_its_call_pending) {
  machine vm(calling());
  vm.import("ask");
  SUPPORT_OK(comet_host_grant(
      vm, "ask", [](comet_call*, void*) { return COMET_ERROR_STATE; }, nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  SUPPORT_OK(comet_host_complete(vm, 0, 3, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(11), 3u);
}

BOOST_AUTO_TEST_CASE(nothing_is_pending_where_no_call_is) {
  machine vm(calling());
  std::uint64_t value = 0;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_complete(vm, 0, 1, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_argument(vm, 0, 0, &value, error));
}

BOOST_AUTO_TEST_CASE(moving_a_thread_gives_up_its_pending_call) {
  machine vm(calling());
  vm.import("ask");
  SUPPORT_OK(comet_host_grant(vm, "ask", nullptr, nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  vm.set_pc(code_address);
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_host_complete(vm, 0, 1, error));
}

BOOST_AUTO_TEST_CASE(a_refusal_traps_with_its_message) {
  machine vm(calling());
  vm.import("refuse");
  SUPPORT_OK(comet_host_grant(
      vm, "refuse", [](comet_call* call, void*) { return comet_call_fail(call, "the door is shut"); },
      nullptr, error));
  const hash before = vm.state_hash();
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK(std::strstr(stop.message, "the door is shut") != nullptr);
  BOOST_CHECK(vm.state_hash() == before);
  // An error of an address that is none of the guest's is the call's failure too.
  SUPPORT_OK(comet_host_grant(vm, "refuse", [](comet_call*, void*) { return COMET_ERROR_ADDRESS; }, nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_HOST_CALL);
}

BOOST_AUTO_TEST_CASE(pointers_are_checked_with_the_guests_rights) {
  machine vm(calling());
  vm.map(0x30000, 1, COMET_READ);
  vm.map(0x50000, 1, COMET_WRITE);
  vm.import("copy");
  // Copies 16 bytes from argument 1 to argument 0.
  SUPPORT_OK(comet_host_grant(
      vm, "copy",
      [](comet_call* call, void*) {
        std::uint8_t buffer[16];
        const comet_status status =
            comet_call_read(call, comet_call_argument(call, 1), buffer, sizeof buffer);
        if (status != COMET_OK) return status;
        return comet_call_write(call, comet_call_argument(call, 0), buffer, sizeof buffer);
      },
      nullptr, error));
  struct sample {
    std::uint64_t to, from;
    comet_trap trap;
    std::uint64_t address;
  };
  const sample samples[] = {{data_address, data_address + 100, COMET_TRAP_NONE, 0},
                            {0x50000, 0x30000, COMET_TRAP_NONE, 0},
                            {0x30000, data_address, COMET_TRAP_WRITE, 0x30000},
                            {data_address, 0x50000, COMET_TRAP_READ, 0x50000},
                            {data_address + 0xfff8, data_address, COMET_TRAP_WRITE, 0x30000},
                            {data_address, 0x3fff8, COMET_TRAP_READ, 0x40000},
                            {data_address, 0x700000000000, COMET_TRAP_READ, 0x700000000000},
                            {data_address, UINT64_MAX - 7, COMET_TRAP_READ, UINT64_MAX - 7}};
  for (const sample& each : samples) {
    vm.restart(code_address);
    vm.set(11, each.to);
    vm.set(12, each.from);
    const hash before = vm.state_hash();
    const comet_stop stop = vm.run();
    if (each.trap == COMET_TRAP_NONE) {
      BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    } else {
      BOOST_CHECK_EQUAL(stop.trap, each.trap);
      BOOST_CHECK_EQUAL(stop.address, each.address);
      BOOST_CHECK(vm.state_hash() == before);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_host_call_may_write_the_code_that_follows) {
  machine vm;
  vm.load(code().add("hcall", {10, 0}).add("imm", {1, 5}).add("halt"), all_rights);
  vm.restart(code_address);
  vm.import("patch");
  SUPPORT_OK(comet_host_grant(
      vm, "patch",
      [](comet_call* call, void*) {
        const std::uint8_t byte = 6;
        return comet_call_write(call, code_address + 5, &byte, 1);
      },
      nullptr, error));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(1), 6u);
}

BOOST_AUTO_TEST_CASE(exit_halts_with_its_status) {
  machine vm(calling());
  vm.import("exit");
  vm.set(11, 7);
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.exit_status, 7);
}

BOOST_AUTO_TEST_CASE(standard_groups_are_granted_as_documented) {
  struct group {
    const char* name;
    const char* call;
    bool from_the_start;
  };
  const group groups[] = {{"exit", "exit", true},     {"streams", "read", true},
                          {"streams", "write", true}, {"arguments", "arg_count", true},
                          {"arguments", "arg", true}, {"clock", "clock", false},
                          {"random", "random", false},  {"files", "file_open", true},
                          {"threads", "self", true},    {"events", "on", true},
                          {"clock", "timer", false}};
  for (const group& each : groups) {
    BOOST_TEST_CONTEXT(each.call) {
      machine vm(calling());
      vm.import(each.call);
      const bool granted = vm.run().trap != COMET_TRAP_HOST_CALL;
      BOOST_CHECK_EQUAL(granted, each.from_the_start);
      SUPPORT_OK(each.from_the_start ? comet_host_revoke_standard(vm, each.name, error)
                                     : comet_host_grant_standard(vm, each.name, error));
      vm.restart(code_address);
      BOOST_CHECK_EQUAL(vm.run().trap == COMET_TRAP_HOST_CALL, each.from_the_start);
    }
  }
  machine vm;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_host_grant_standard(vm, "everything", error));
}

BOOST_AUTO_TEST_CASE(streams_go_where_the_embedder_says) {
  int pipe_ends[2];
  BOOST_REQUIRE_EQUAL(pipe(pipe_ends), 0);
  machine vm(calling());
  vm.import("write");
  SUPPORT_OK(comet_set_stream(vm, 1, pipe_ends[1], error));
  vm.write(data_address, {'h', 'i'});
  vm.set(11, 1);
  vm.set(12, data_address);
  vm.set(13, 2);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(11), 2u);
  char buffer[4] = {};
  BOOST_CHECK_EQUAL(read(pipe_ends[0], buffer, sizeof buffer), 2);
  BOOST_CHECK_EQUAL(std::string(buffer), "hi");
  SUPPORT_OK(comet_set_stream(vm, 1, COMET_STREAM_NONE, error));
  vm.set_pc(code_address);
  vm.set(11, 1);
  vm.run();
  BOOST_CHECK_LT(static_cast<std::int64_t>(vm.get(11)), 0);
  SUPPORT_OK(comet_set_stream(vm, 1, COMET_STREAM_EMBEDDER, error));
  vm.set_pc(code_address);
  vm.set(11, 1);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HOST_CALL);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_random_numbers) {
  const auto numbers = [](std::uint64_t seed) {
    machine vm(calling());
    vm.import("random");
    SUPPORT_OK(comet_host_grant_standard(vm, "random", error));
    comet_set_random_seed(vm, seed);
    vm.set(11, data_address);
    vm.set(12, 32);
    vm.run();
    return vm.read(data_address, 32);
  };
  BOOST_CHECK(numbers(1) == numbers(1));
  BOOST_CHECK(numbers(1) != numbers(2));
}

namespace {

struct meddling {
  comet_snapshot* taken;
  comet_thread other;
};

comet_status meddle(comet_call* call, void* data) {
  const meddling& with = *static_cast<meddling*>(data);
  comet_machine* const machine = comet_call_machine(call);
  comet_stop stop = COMET_STOP_INIT;
  comet_image* image = nullptr;
  BOOST_CHECK_EQUAL(comet_image_new(&image, nullptr), COMET_OK);
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_machine_reset(machine, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_snapshot_restore(machine, with.taken, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_image_load(image, machine, 0, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(machine, comet_call_thread(call), 1, &stop, error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_thread_free(machine, comet_call_thread(call), error));
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_thread_restart(machine, comet_call_thread(call), code_address, error));
  comet_image_free(image);
  // What takes nothing away is allowed: other threads run, the list grows, memory comes and goes.
  SUPPORT_OK(comet_run(machine, with.other, 1, &stop, error));
  for (int n = 0; n < 40; ++n) {
    std::uint32_t index = 0;
    SUPPORT_OK(comet_host_import(machine, ("name-" + std::to_string(n)).c_str(), &index, error));
  }
  SUPPORT_OK(comet_breakpoint_set(machine, 0, 5, error));
  SUPPORT_OK(comet_unmap(machine, 0, code_address, 1, error));
  return comet_call_fail(call, "done");
}

}  // namespace

// A call runs another thread, whose call frees the machine: it goes when the outer run has ended, too.
BOOST_AUTO_TEST_CASE(a_machine_that_is_freed_in_a_run_within_a_run_goes_with_the_outer_one) {
  machine made(code().add("hcall", {10, 0}).add("halt"));
  made.import("inner");
  comet_machine* vm = nullptr;
  SUPPORT_OK(comet_machine_fork(made, nullptr, &vm, error));
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &other, error));
  const comet_host_function inner = [](comet_call* call, void* data) {
    comet_machine* const machine = comet_call_machine(call);
    bool& within = *static_cast<bool*>(data);
    if (std::exchange(within, true)) {
      comet_machine_free(machine);
      return COMET_OK;
    }
    comet_stop stop = COMET_STOP_INIT;
    SUPPORT_OK(comet_run(machine, 1, plenty, &stop, error));
    BOOST_CHECK_EQUAL(stop.reason, COMET_INTERRUPTED);
    return COMET_OK;
  };
  bool within = false;
  SUPPORT_OK(comet_host_grant(vm, "inner", inner, &within, error));
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_STATE, comet_run(vm, 0, plenty, &stop, error));
}

BOOST_AUTO_TEST_CASE(a_host_call_cannot_take_away_what_its_run_stands_on) {
  machine vm(calling());
  meddling with{};
  const std::uint64_t place = 2 * data_address;
  vm.load(code(place).add("nop").add("halt"));
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &with.other, error));
  comet_thread running = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &running, error));
  vm.set_pc(place, with.other);
  vm.import("meddle");
  SUPPORT_OK(comet_snapshot_take(vm, &with.taken, error));
  SUPPORT_OK(comet_host_grant(vm, "meddle", meddle, &with, error));
  const comet_stop stop = vm.run(plenty, running);
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_HOST_CALL);
  BOOST_CHECK_EQUAL(std::string(stop.message), "host call `meddle` failed: done");
  BOOST_CHECK_EQUAL(vm.run(1, running).trap, COMET_TRAP_EXECUTE);
  SUPPORT_OK(comet_snapshot_restore(vm, with.taken, error));
  SUPPORT_OK(comet_thread_free(vm, running, error));
}

BOOST_AUTO_TEST_SUITE_END()
