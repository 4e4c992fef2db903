// Running: fuel, counts, reasons, calls and activations.
#include "support.h"

using namespace support;

namespace {

// Counts r1 down from 1000, with arithmetic of all kinds on the way, and halts: some 6000 instructions.
code countdown() {
  code program;
  program.add("imm", {1, 1000}).add("imm", {2, 3}).add("imm", {5, data_address});
  const std::uint64_t loop = program.here();
  program.add("mul", {3, 3, 2}).add("add", {3, 3, 1}).add("st64", {5, 3, 8}).add("ldu32", {4, 5, 10});
  program.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  return program;
}
constexpr std::uint64_t countdown_length = 3 + 6 * 1000 + 1;

// fib(r1) by recursion, result in r1.
code fibonacci(std::uint64_t n) {
  code program;
  const std::uint64_t start = program.address();
  const std::uint64_t function = start + 64;
  program.add("imm", {11, n}).add("call", {10, function}).add("mov", {1, 11}).add("halt");
  while (program.here() < function) program.add("nop");
  const std::uint64_t recurse = function + 16;
  program.add("bgei_u", {1, 2, recurse}).add("ret");
  while (program.here() < recurse) program.add("nop");
  program.add("addi", {11, 1, 0 - std::uint64_t{1}}).add("call", {10, function});
  program.add("addi", {21, 1, 0 - std::uint64_t{2}}).add("call", {20, function});
  program.add("add", {1, 11, 21}).add("ret");
  return program;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(running)

BOOST_AUTO_TEST_CASE(fuel_is_exact_at_every_number_of_instructions) {
  machine stepped(countdown());
  machine reused(countdown());
  for (std::uint64_t n = 0; n < 600; ++n) {
    reused.restart(code_address);
    const comet_stop stop = reused.run(n);
    BOOST_REQUIRE_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
    BOOST_REQUIRE_EQUAL(stop.executed, n);
    BOOST_REQUIRE_EQUAL(stop.pc, stepped.info().pc);
    for (std::uint64_t index = 1; index < 6; ++index)
      BOOST_REQUIRE_EQUAL(reused.get(index), stepped.get(index));
    BOOST_REQUIRE_EQUAL(stepped.run(1).executed, 1u);
  }
}

BOOST_AUTO_TEST_CASE(fuel_that_just_suffices_is_enough) {
  machine vm(countdown());
  comet_stop stop = vm.run(countdown_length - 1);
  BOOST_CHECK_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
  stop = vm.run(1);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.executed, 1u);
  vm.restart(code_address);
  stop = vm.run(countdown_length);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.executed, countdown_length);
}

BOOST_AUTO_TEST_CASE(no_fuel_executes_nothing) {
  machine vm(countdown());
  const hash before = vm.state_hash();
  const comet_stop stop = vm.run(0);
  BOOST_CHECK_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(stop.executed, 0u);
  BOOST_CHECK(vm.state_hash() == before);
}

BOOST_AUTO_TEST_CASE(a_trap_wins_over_fuel_only_when_there_is_fuel) {
  machine vm(code().add("nop").add("brk"));
  BOOST_CHECK_EQUAL(vm.run(1).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(vm.run(0).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(vm.run(1).trap, COMET_TRAP_BRK);
}

BOOST_AUTO_TEST_CASE(counts_add_up_over_runs_of_any_length) {
  machine vm(countdown());
  std::uint64_t executed = 0;
  for (std::uint64_t fuel = 1;; fuel = fuel * 5 % 97 + 1) {
    const comet_stop stop = vm.run(fuel);
    executed += stop.executed;
    BOOST_REQUIRE_EQUAL(stop.instruction_count, executed);
    BOOST_REQUIRE_EQUAL(vm.info().instruction_count, executed);
    if (stop.reason == COMET_HALTED) break;
    BOOST_REQUIRE_EQUAL(stop.executed, fuel);
  }
  BOOST_CHECK_EQUAL(executed, countdown_length);
}

BOOST_AUTO_TEST_CASE(a_halted_program_halts_again) {
  machine vm(code().add("halt"));
  for (int n = 0; n < 3; ++n) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.pc, code_address);
    BOOST_CHECK_EQUAL(stop.executed, 1u);
  }
}

BOOST_AUTO_TEST_CASE(returning_from_the_outermost_activation_halts) {
  machine vm(code().add("nop").add("ret"));
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.pc, code_address + 1);
  BOOST_CHECK_EQUAL(stop.executed, 2u);
  BOOST_CHECK_EQUAL(vm.info().activations, 1u);
  // Behind others that go in one go with it, too.
  for (const code& text : {code().add("imm", {1, 5}).add("ret"), code().add("mov", {1, 2}).add("ret"), code().add("addi", {1, 1, 5}).add("ret"),
                           code().add("add", {1, 1, 2}).add("ret"), code().add("mul", {3, 1, 2}).add("add", {1, 1, 2}).add("ret")}) {
    machine other(text);
    BOOST_CHECK_EQUAL(other.run().reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(other.info().pc, text.here() - 1);
    BOOST_CHECK_EQUAL(other.info().activations, 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_trapping_program_traps_again_and_can_be_mended) {
  machine vm(code().add("imm", {1, 8}).add("ldu8", {2, 3, 0}).add("halt"));
  for (int n = 0; n < 3; ++n) {
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_READ);
    BOOST_CHECK_EQUAL(stop.executed, n == 0 ? 1u : 0u);
    BOOST_CHECK_EQUAL(stop.instruction_count, 1u);
  }
  vm.set(3, data_address);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(calls_pass_arguments_and_results_in_overlapping_windows) {
  machine vm(fibonacci(20));
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(1), 6765u);
  BOOST_CHECK_EQUAL(vm.info().activations, 1u);
  BOOST_CHECK_EQUAL(vm.info().window, 0u);
}

BOOST_AUTO_TEST_CASE(activations_tell_where_each_call_came_from) {
  code program;
  const std::uint64_t function = program.address() + 32;
  program.add("call", {5, function});
  const std::uint64_t back = program.here();
  program.add("halt");
  while (program.here() < function) program.add("nop");
  program.add("imm", {1, 77});
  const std::uint64_t inner = program.here() + 16;
  program.add("call", {7, inner});
  const std::uint64_t inner_back = program.here();
  program.add("ret");
  while (program.here() < inner) program.add("nop");
  program.add("tail", {inner + 16});
  while (program.here() < inner + 16) program.add("nop");
  program.add("brk");
  machine vm(program);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_BRK);
  BOOST_CHECK_EQUAL(vm.info().activations, 3u);
  const comet_activation expected[] = {
      {0, inner + 16, inner + 16, 12}, {0, function, inner_back, 5}, {0, code_address, back, 0}};
  for (std::uint64_t level = 0; level < 3; ++level) {
    comet_activation found = COMET_ACTIVATION_INIT;
    SUPPORT_OK(comet_get_activation(vm, 0, level, &found, error));
    BOOST_CHECK_EQUAL(found.function, expected[level].function);
    BOOST_CHECK_EQUAL(found.pc, expected[level].pc);
    BOOST_CHECK_EQUAL(found.window, expected[level].window);
  }
  BOOST_CHECK_EQUAL(vm.get(1, 0, 1), 77u);
  BOOST_CHECK_EQUAL(vm.get(6, 0, 2), 77u);
  comet_activation none = COMET_ACTIVATION_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_get_activation(vm, 0, 3, &none, error));
}

BOOST_AUTO_TEST_CASE(a_tail_call_chain_needs_no_activations) {
  comet_config config = COMET_CONFIG_INIT;
  config.call_depth_limit = 3;
  code program;
  const std::uint64_t function = program.address() + 32;
  program.add("call", {5, function}).add("halt");
  while (program.here() < function) program.add("nop");
  program.add("addi", {1, 1, 1}).add("bgei_u", {1, 5000, function + 16}).add("tail", {function});
  while (program.here() < function + 16) program.add("nop");
  program.add("ret");
  machine vm(program, &config);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(6), 5000u);
}

BOOST_AUTO_TEST_CASE(the_call_depth_limit_holds_exactly) {
  for (const std::uint64_t limit : {1, 2, 3, 100}) {
    comet_config config = COMET_CONFIG_INIT;
    config.call_depth_limit = limit;
    machine vm(code().add("call", {1, code_address}), &config);
    const comet_stop stop = vm.run();
    BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_CALL_DEPTH);
    BOOST_CHECK_EQUAL(stop.executed, limit - 1);
    BOOST_CHECK_EQUAL(vm.info().activations, limit);
  }
}

BOOST_AUTO_TEST_CASE(register_0_is_zero_in_every_window) {
  code program;
  const std::uint64_t function = program.address() + 32;
  program.add("imm", {5, 99}).add("call", {5, function}).add("halt");
  while (program.here() < function) program.add("nop");
  program.add("mov", {1, 0}).add("imm", {0, 44}).add("mov", {2, 0}).add("ret");
  machine vm(program);
  vm.set(6, 1);
  vm.set(7, 1);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(5), 0u);
  BOOST_CHECK_EQUAL(vm.get(6), 0u);
  BOOST_CHECK_EQUAL(vm.get(7), 0u);
}

BOOST_AUTO_TEST_CASE(set_pc_keeps_the_activations_and_restart_does_not) {
  machine vm(fibonacci(5));
  vm.run(20);
  const std::uint64_t depth = vm.info().activations;
  BOOST_REQUIRE_GT(depth, 1u);
  vm.set_pc(code_address);
  BOOST_CHECK_EQUAL(vm.info().activations, depth);
  vm.restart(code_address);
  BOOST_CHECK_EQUAL(vm.info().activations, 1u);
  BOOST_CHECK_EQUAL(vm.info().registers, 0u);
  BOOST_CHECK_EQUAL(vm.get(11), 0u);
}

BOOST_AUTO_TEST_CASE(a_loop_of_any_shape_stops_when_its_fuel_is_gone) {
  const code shapes[] = {
      code().add("jump", {code_address}),
      code().add("jumpr", {1}),
      code().add("jal", {2, code_address}),
      code().add("jalr", {2, 1}),
      code().add("brz", {2, 0, 1}),
      code().add("beq", {0, 0, code_address}),
      code().add("tail", {code_address}),
      code().add("tailr", {1}),
      code().add("nop").add("beqi", {0, 0, code_address}),
  };
  for (const code& shape : shapes) {
    machine vm(shape);
    vm.set(1, code_address);
    const comet_stop stop = vm.run(1000001);
    BOOST_CHECK_EQUAL(stop.reason, COMET_OUT_OF_FUEL);
    BOOST_CHECK_EQUAL(stop.executed, 1000001u);
  }
}

BOOST_AUTO_TEST_CASE(names_of_reasons_and_traps_are_words) {
  for (int n = 0; n <= COMET_LIMIT; ++n)
    BOOST_CHECK(comet_reason_name(static_cast<comet_reason>(n))[0] != 0);
  for (int n = 0; n <= COMET_TRAP_USER; ++n) BOOST_CHECK(comet_trap_name(static_cast<comet_trap>(n))[0] != 0);
  for (int n = 0; n <= COMET_ERROR_SYSTEM; ++n)
    BOOST_CHECK(comet_status_name(static_cast<comet_status>(n))[0] != 0);
  BOOST_CHECK(comet_reason_name(static_cast<comet_reason>(99)) != nullptr);
  BOOST_CHECK(comet_trap_name(static_cast<comet_trap>(99)) != nullptr);
  BOOST_CHECK(comet_status_name(static_cast<comet_status>(99)) != nullptr);
}

// Activations that were made before code was dropped return by address, not by slot; fuel may end there too.
BOOST_AUTO_TEST_CASE(fuel_is_exact_at_returns_into_code_that_was_dropped) {
  code program;
  const std::uint64_t function = code_address + 64;
  const std::uint64_t deeper = function + 16;
  program.add("imm", {2, 400}).add("call", {1, function}).add("halt");
  while (program.here() < function) program.add("nop");
  program.add("bnei", {1, 0, deeper}).add("ret");
  while (program.here() < deeper) program.add("nop");
  program.add("addi", {5, 1, 0 - std::uint64_t{1}}).add("call", {4, function}).add("ret");
  constexpr std::uint64_t first = 1100;

  machine stepped(program);
  stepped.run(first);
  machine vm(program);
  for (std::uint64_t n = 0; n < 500; ++n) {
    vm.restart(code_address);
    vm.run(first);
    SUPPORT_OK(comet_breakpoint_set(vm, 0, 5, error)); // drops what was decoded
    BOOST_REQUIRE_EQUAL(vm.run(n).pc, stepped.info().pc);
    BOOST_REQUIRE_EQUAL(vm.info().activations, stepped.info().activations);
    stepped.run(1);
  }
}

BOOST_AUTO_TEST_CASE(code_ends_where_the_address_space_does) {
  const std::uint64_t page = 0 - std::uint64_t{COMET_PAGE_SIZE};
  machine vm;
  vm.map(page, COMET_PAGE_SIZE, read_execute);
  vm.write(0 - std::uint64_t{16}, bytes(16, code().add("nop").content()[0]));
  vm.restart(0 - std::uint64_t{16});
  const comet_stop stop = vm.run();
  BOOST_CHECK_EQUAL(stop.trap, COMET_TRAP_EXECUTE);
  BOOST_CHECK_EQUAL(stop.pc, 0u);
  BOOST_CHECK_EQUAL(stop.executed, 16u);
}

BOOST_AUTO_TEST_CASE(code_of_long_constants_alone_runs) {
  code program;
  for (std::uint64_t n = 1; n <= 1000; ++n) program.add("imm", {n % 100 + 1, (n << 40) + n});
  machine vm(program.add("halt"));
  BOOST_CHECK_EQUAL(vm.run().executed, 1001u);
  for (std::uint64_t n = 901; n <= 1000; ++n) BOOST_CHECK_EQUAL(vm.get(n % 100 + 1), (n << 40) + n);
}

// A function that begins with a branch to its `ret`: what each round does, and how much, is the same when something stands
// against doing the branch with the call.
BOOST_AUTO_TEST_CASE(functions_that_return_at_once_do_so_in_every_way) {
  enum { plainly, stops_at_function, stops_at_end, counts_returns, at_the_end_of_a_page, ways };
  const auto opcode_of_ret = code().add("ret").content()[0];
  for (const std::string branch : {"beqi", "bgei_u", "beq", "blt_u"})
    for (int way = 0; way < ways; ++way) {
      const std::uint64_t function = way == at_the_end_of_a_page ? code_address + COMET_PAGE_SIZE - 40 : code_address + 64, end = function + 20;
      code program;
      program.add("imm", {1, 40});
      const std::uint64_t loop = program.here();
      program.add("andi", {11, 1, 3}).add("imm", {12, 2}).add("call", {10, function}).add("add", {2, 2, 11});
      program.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
      while (program.here() < function) program.add("nop");
      program.add(branch, {1, 2, end}).add("addi", {1, 1, 5});
      while (program.here() < end) program.add("nop");
      program.add("ret");
      machine at_once(program), slow(program);
      if (way == counts_returns) SUPPORT_OK(comet_treat(at_once, opcode_of_ret, COMET_COUNTED, error));
      if (way == stops_at_function) SUPPORT_OK(comet_breakpoint_set(at_once, 0, function, error));
      if (way == stops_at_end) SUPPORT_OK(comet_breakpoint_set(at_once, 0, end, error));
      unsigned stops = 0;
      while (at_once.run().reason == COMET_BREAKPOINT) ++stops;
      while (slow.run(1).reason == COMET_OUT_OF_FUEL) {
      }
      BOOST_CHECK_EQUAL(stops, way == stops_at_function || way == stops_at_end ? 40u : 0u);
      BOOST_CHECK_EQUAL(at_once.info().instruction_count, slow.info().instruction_count);
      BOOST_CHECK(at_once.state_hash() == slow.state_hash());
    }
}

// What it tests may be the argument that was written last, another one, or no argument at all, and lie behind the registers
// that a slot can name.
BOOST_AUTO_TEST_CASE(functions_that_return_at_once_may_test_any_register) {
  for (const std::uint64_t base : {10, 65534, 65535})
    for (const std::uint64_t tested : {0, 1, 2})
      for (const std::uint64_t last : {0, 1, 2}) {
        code program;
        program.add("imm", {1, 40}).add("jump", {code_address + 32});
        while (program.here() < code_address + 16) program.add("nop");
        const std::uint64_t function = program.here();
        program.add("blti_u", {tested, 2, function + 8}).add("addi", {4, 4, 1}).add("ret");
        while (program.here() < code_address + 32) program.add("nop");
        const std::uint64_t loop = program.here();
        for (const std::uint64_t argument : {0, 1, 2})
          if (argument != last) program.add("andi", {base + argument, 1, std::uint64_t{7} >> argument});
        program.add("andi", {base + last, 1, 3}).add("call", {base, function}).add("add", {2, 2, base + last});
        program.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
        machine at_once(program), slow(program);
        BOOST_CHECK_EQUAL(at_once.run().reason, COMET_HALTED);
        while (slow.run(1).reason == COMET_OUT_OF_FUEL) {
        }
        BOOST_CHECK(at_once.state_hash() == slow.state_hash());
      }
}

// A loop by `brz`, whose target is in a register, and one by a table among data.
BOOST_AUTO_TEST_CASE(loops_whose_targets_are_computed_run_to_the_end_of_their_fuel) {
  code by_register, by_table;
  by_register.add("addi", {1, 1, 1}).add("gti_s", {3, 1, 20000}).add("brz", {0, 3, 2}).add("halt");
  by_table.add("addi", {1, 1, 1}).add("gti_s", {3, 1, 20000}).add("jtab", {3, 1, data_address}).add("halt");
  const std::uint64_t back = code_address - data_address;
  for (const code* program : {&by_register, &by_table}) {
    machine vm(*program);
    vm.set(2, code_address);
    for (unsigned n = 0; n < 4; ++n) vm.write(data_address + n, {static_cast<std::uint8_t>(back >> (8 * n))});
    std::uint64_t executed = 0;
    comet_stop stop = vm.run(5000);
    for (; stop.reason == COMET_OUT_OF_FUEL; stop = vm.run(5000)) {
      BOOST_REQUIRE_EQUAL(stop.executed, 5000u);
      executed += stop.executed;
    }
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm.get(1), 20001u);
    BOOST_CHECK_EQUAL(executed + stop.executed, 3 * 20001u + 1);
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_have_classes_of_their_own) {
  const code program = code().add("fclass", {3, 1}).add("fclass32", {4, 2}).add("halt");
  for (const bool quiet : {false, true}) {
    machine at_once(program), slow(program);
    for (machine* vm : {&at_once, &slow}) {
      vm->set(1, quiet ? 0x7ff8000000000000 : 0xfff0000000000001);
      vm->set(2, quiet ? 0xffc00000 : 0x7f800001);
    }
    at_once.run();
    while (slow.run(1).reason == COMET_OUT_OF_FUEL) {
    }
    for (const machine* vm : {&at_once, &slow})
      for (const std::uint64_t n : {3, 4}) BOOST_CHECK_EQUAL(vm->get(n), quiet ? 1u << 9 : 1u << 8);
  }
}

BOOST_AUTO_TEST_SUITE_END()
