// Code that changes while it runs: what is executed is what memory holds at that moment.
#include "support.h"

using namespace support;

namespace {

// Pages inside and beyond the fast window.
constexpr std::uint64_t bases[] = {code_address, 0x700000000000};

// What must come out the same, single-stepped and in the fast loop.
template <typename Check>
void in_all_ways(const Check& check) {
  for (const std::uint64_t base : bases)
    for (const std::uint64_t slice : {std::uint64_t{1}, std::uint64_t{2}, plenty}) check(base, slice);
}

comet_stop run_in_slices(machine& vm, std::uint64_t slice) {
  comet_stop stop{};
  do stop = vm.run(slice);
  while (stop.reason == COMET_OUT_OF_FUEL);
  return stop;
}

std::unique_ptr<machine> load(const code& program) {
  auto vm = std::make_unique<machine>();
  vm->load(program, all_rights);
  vm->restart(program.address());
  return vm;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(self_modifying_code)

BOOST_AUTO_TEST_CASE(an_instruction_may_overwrite_the_next_one) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    code program(base);
    program.add("imm", {1, base}).add("imm", {2, 9});
    // The store changes the immediate of the instruction behind it.
    const std::uint64_t store_length = 4;
    const std::uint64_t immediate = program.here() + store_length + 2 - base;
    program.add("st8", {1, 2, immediate});
    BOOST_REQUIRE_EQUAL(program.here() + 2 - base, immediate);
    program.add("imm", {3, 5}).add("halt");
    const auto vm = load(program);
    BOOST_CHECK_EQUAL(run_in_slices(*vm, slice).reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm->get(3), 9u);
  });
}

BOOST_AUTO_TEST_CASE(an_instruction_may_overwrite_itself) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    // r1 = base, r2 = 0x7f: the first byte of the store becomes halt once it has been executed.
    code program(base);
    program.add("st8", {1, 2, 0}).add("jump", {base});
    const auto vm = load(program);
    vm->set(1, base);
    vm->set(2, 0x7f);
    const comet_stop stop = run_in_slices(*vm, slice);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.pc, base);
    BOOST_CHECK_EQUAL(stop.instruction_count, 3u);
  });
}

BOOST_AUTO_TEST_CASE(a_jump_table_beside_the_code_may_be_rewritten) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    // r1: the table, r2: the distance that the first case puts there.
    const std::uint64_t table = base + 256;
    code program(base);
    program.add("addi", {3, 3, 1}).add("jtab", {0, 1, table}).add("halt");
    const std::uint64_t first = program.here();
    program.add("blt_u", {3, 4, base}).add("st32", {1, 2, 0}).add("jump", {base});
    const std::uint64_t second = program.here();
    program.add("addi", {5, 5, 1}).add("halt");
    const auto vm = load(program);
    const std::uint64_t distance = first - table;
    bytes entry;
    for (unsigned i = 0; i < 4; ++i) entry.push_back(static_cast<std::uint8_t>(distance >> (8 * i)));
    vm->write(table, entry);
    vm->set(1, table);
    vm->set(2, second - table);
    vm->set(4, 1000);
    const comet_stop stop = run_in_slices(*vm, slice);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm->get(3), 1001u);
    BOOST_CHECK_EQUAL(vm->get(5), 1u);
    BOOST_CHECK_EQUAL(stop.instruction_count, 3 * 1000 + 2 + 4u);
  });
}

BOOST_AUTO_TEST_CASE(a_loop_may_rewrite_its_body_each_round) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    code program(base);
    program.add("addi", {2, 2, 1}).add("st8", {1, 2, 10});
    const std::uint64_t body = program.here();
    program.add("imm", {3, 0});
    BOOST_REQUIRE_EQUAL(body + 2, base + 10);
    program.add("add", {4, 4, 3}).add("bnei", {2, 100, base}).add("halt");
    const auto vm = load(program);
    vm->set(1, base);
    BOOST_CHECK_EQUAL(run_in_slices(*vm, slice).reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm->get(4), 5050u);
  });
}

BOOST_AUTO_TEST_CASE(fuel_stays_exact_in_a_loop_that_writes_to_its_own_page) {
  for (const std::uint64_t base : bases) {
    code program(base);
    program.add("add", {5, 5, 6})
        .add("aadd8", {7, 3, 8})
        .add("addi", {9, 9, 1})
        .add("bne", {9, 10, base})
        .add("halt");
    const std::uint64_t behind = program.here();
    program.add("nop").add("nop").add("nop");
    const auto stepped = load(program);
    const auto whole = load(program);
    for (const auto& vm : {stepped.get(), whole.get()}) {
      vm->set(3, behind);
      vm->set(10, 1000);
    }
    snapshot beginning(*whole);
    for (std::uint64_t fuel = 1; fuel < 1200; ++fuel) {
      beginning.restore();
      const comet_stop stop = whole->run(fuel);
      const comet_stop step = stepped->run(1);
      BOOST_REQUIRE_EQUAL(stop.executed, fuel);
      BOOST_REQUIRE_EQUAL(stop.pc, step.pc);
      BOOST_REQUIRE_EQUAL(whole->get(5), stepped->get(5));
    }
  }
}

BOOST_AUTO_TEST_CASE(writes_to_data_beside_code_do_not_disturb_it) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    code program(base);
    program.add("addi", {2, 2, 1}).add("st64", {1, 2, 0x8000}).add("ldu64", {3, 1, 0x8000});
    program.add("bnei", {3, 300, base}).add("halt");
    const auto vm = load(program);
    vm->set(1, base);
    const comet_stop stop = run_in_slices(*vm, slice);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.instruction_count, 1201u);
  });
}

BOOST_AUTO_TEST_CASE(blocks_and_atomics_change_code_too) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    for (const char* way : {"bcopy", "bfill", "aswap8"}) {
      code program(base);
      const std::uint64_t function = base + 64;
      // Call the function, change it, call it again.
      program.add("call", {10, function});
      if (std::string(way) == "bcopy") program.add("bcopy", {1, 2, 3});
      if (std::string(way) == "bfill") program.add("bfill", {1, 4, 3});
      if (std::string(way) == "aswap8") program.add("aswap8", {9, 1, 4});
      program.add("call", {20, function}).add("halt");
      while (program.here() < function) program.add("nop");
      const std::uint64_t immediate = program.here() + 2;
      program.add("imm", {1, 5}).add("ret");
      const auto vm = load(program);
      vm->write(base + 0x8000, {33});
      vm->set(1, immediate);
      vm->set(2, base + 0x8000);
      vm->set(3, 1);
      vm->set(4, 33);
      BOOST_CHECK_EQUAL(run_in_slices(*vm, slice).reason, COMET_HALTED);
      BOOST_CHECK_EQUAL(vm->get(11), 5u);
      BOOST_CHECK_EQUAL(vm->get(21), 33u);
    }
  });
}

BOOST_AUTO_TEST_CASE(a_store_across_a_border_of_pages_changes_code_in_both) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    const std::uint64_t border = base + COMET_PAGE_SIZE;
    machine vm;
    vm.map(base, 2 * COMET_PAGE_SIZE, all_rights);
    // imm r3, 1 lies across the border; the store gives it another register and another number.
    vm.write(border - 2, code(border - 2).add("imm", {3, 1}).add("halt").content());
    code program(base);
    program.add("st16", {1, 2, 0}).add("jump", {border - 2});
    vm.write(base, program.content());
    vm.restart(border - 2);
    run_in_slices(vm, slice);
    BOOST_CHECK_EQUAL(vm.get(3), 1u);
    vm.restart(base);
    vm.set(1, border - 1);
    vm.set(2, 0x2a04);
    BOOST_CHECK_EQUAL(run_in_slices(vm, slice).reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(vm.get(3), 0u);
    BOOST_CHECK_EQUAL(vm.get(4), 42u);
  });
}

BOOST_AUTO_TEST_CASE(host_writes_change_decoded_code) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    code program(base);
    program.add("imm", {3, 0}).add("halt");
    const auto vm = load(program);
    for (std::uint8_t n = 0; n < 100; ++n) {
      vm->write(base + 2, {n});
      vm->set_pc(base);
      run_in_slices(*vm, slice);
      BOOST_REQUIRE_EQUAL(vm->get(3), n);
    }
  });
}

BOOST_AUTO_TEST_CASE(code_may_be_made_writable_written_and_made_executable) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    machine vm;
    vm.load(code(base).add("imm", {3, 1}).add("halt"));
    vm.restart(base);
    run_in_slices(vm, slice);
    SUPPORT_OK(comet_protect(vm, 0, base, 1, read_write, error));
    vm.load(code(0x40000).add("st8", {1, 2, 2}).add("halt"));
    vm.restart(0x40000);
    vm.set(1, base);
    vm.set(2, 2);
    BOOST_CHECK_EQUAL(run_in_slices(vm, slice).reason, COMET_HALTED);
    SUPPORT_OK(comet_protect(vm, 0, base, 1, read_execute, error));
    vm.restart(base);
    run_in_slices(vm, slice);
    BOOST_CHECK_EQUAL(vm.get(3), 2u);
  });
}

BOOST_AUTO_TEST_CASE(jumps_into_the_middle_of_an_instruction_decode_what_stands_there) {
  in_all_ways([](std::uint64_t base, std::uint64_t slice) {
    // imm r1, 0x7f08...: its immediate holds `imm r2, 8` and `halt`.
    code program(base);
    bytes hidden = code().add("imm", {2, 8}).add("halt").content();
    std::uint64_t immediate = 0;
    for (std::size_t n = hidden.size(); n-- > 0;) immediate = immediate << 7 | (hidden[n] & 0x7f);
    const bytes whole = code(base).add("imm", {1, immediate}).content();
    machine vm;
    vm.map(base, 1, all_rights);
    vm.write(base, whole);
    // The bytes of the immediate have their high bit set, but the last one: only halt is found there.
    vm.write(base + whole.size(), code(base + whole.size()).add("jump", {base + whole.size() - 1}).content());
    vm.restart(base);
    const comet_stop stop = run_in_slices(vm, slice);
    BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
    BOOST_CHECK_EQUAL(stop.pc, base + whole.size() - 1);
    BOOST_CHECK_EQUAL(vm.get(1), immediate);
    BOOST_CHECK_EQUAL(stop.instruction_count, 3u);
  });
}

BOOST_AUTO_TEST_SUITE_END()
