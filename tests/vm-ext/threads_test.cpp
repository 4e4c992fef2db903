// Threads of a machine: registers, windows and counts of their own, memory in common.
#include "support.h"

using namespace support;

namespace {

comet_thread new_thread(machine& vm, std::uint64_t pc, comet_space space = 0) {
  comet_thread thread = 0;
  SUPPORT_OK(comet_thread_new(vm, space, pc, &thread, error));
  return thread;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(threads)

BOOST_AUTO_TEST_CASE(a_new_thread_has_zero_registers_and_one_activation) {
  machine vm(code().add("halt"));
  const comet_thread thread = new_thread(vm, 0x12345);
  const comet_thread_info info = vm.info(thread);
  BOOST_CHECK_EQUAL(info.pc, 0x12345u);
  BOOST_CHECK_EQUAL(info.space, 0u);
  BOOST_CHECK_EQUAL(info.instruction_count, 0u);
  BOOST_CHECK_EQUAL(info.activations, 1u);
  BOOST_CHECK_EQUAL(info.window, 0u);
  BOOST_CHECK_EQUAL(info.registers, 0u);
}

BOOST_AUTO_TEST_CASE(threads_have_their_own_registers_and_share_memory) {
  machine vm(code()
                 .add("addi", {1, 1, 1})
                 .add("aadd64", {3, 2, 4})
                 .add("call", {5, code_address + 32})
                 .add("jump", {code_address}));
  vm.write(code_address + 32, code(code_address + 32).add("tset", {1, 1}).add("ret").content());
  std::vector<comet_thread> all = {0};
  for (int n = 0; n < 5; ++n) all.push_back(new_thread(vm, code_address));
  for (const comet_thread thread : all) {
    vm.set(2, data_address, thread);
    vm.set(4, thread + 1, thread);
    vm.set(6, 100 + thread, thread);
  }
  // In turns, each with a slice of its own size.
  std::uint64_t sum = 0;
  for (int round = 0; round < 60; ++round)
    for (const comet_thread thread : all)
      BOOST_REQUIRE_EQUAL(vm.run(6 * (thread + 1), thread).reason, COMET_OUT_OF_FUEL);
  for (const comet_thread thread : all) {
    BOOST_CHECK_EQUAL(vm.info(thread).instruction_count, 360u * (thread + 1));
    BOOST_CHECK_EQUAL(vm.get(1, thread), 60u * (thread + 1));
    std::uint64_t value = 0;
    SUPPORT_OK(comet_get_thread_register(vm, thread, 1, &value, error));
    BOOST_CHECK_EQUAL(value, 100u + thread);
    sum += 60u * (thread + 1) * (thread + 1);
  }
  BOOST_CHECK_EQUAL(vm.read_word(data_address), sum);
}

BOOST_AUTO_TEST_CASE(threads_in_different_spaces_see_different_memory) {
  machine vm(code().add("ldu64", {1, 2, 0}).add("halt"));
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(vm, &space, error));
  vm.load(code().add("ldu64", {1, 2, 0}).add("muli", {1, 1, 2}).add("halt"), read_execute, space);
  vm.map(data_address, 1, read_write, space);
  vm.write(data_address, {1}, 0);
  vm.write(data_address, {7}, space);
  const comet_thread thread = new_thread(vm, code_address, space);
  vm.set(2, data_address);
  vm.set(2, data_address, thread);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.run(plenty, thread).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(vm.get(1), 1u);
  BOOST_CHECK_EQUAL(vm.get(1, thread), 14u);
}

BOOST_AUTO_TEST_CASE(a_thread_sees_code_that_another_one_wrote) {
  machine vm;
  vm.load(code().add("imm", {1, 1}).add("jump", {code_address}), all_rights);
  vm.load(code(0x40000).add("st8", {1, 2, 2}).add("halt"));
  const comet_thread writer = new_thread(vm, 0x40000);
  vm.restart(code_address);
  vm.run(100);
  vm.set(1, code_address, writer);
  vm.set(2, 2, writer);
  BOOST_CHECK_EQUAL(vm.run(plenty, writer).reason, COMET_HALTED);
  vm.run(2);
  BOOST_CHECK_EQUAL(vm.get(1), 2u);
}

BOOST_AUTO_TEST_CASE(the_trap_of_one_thread_does_not_stop_another) {
  machine vm(code().add("brk"));
  vm.write(code_address + 8, code(code_address + 8).add("halt").content());
  const comet_thread thread = new_thread(vm, code_address + 8);
  BOOST_CHECK_EQUAL(vm.run().trap, COMET_TRAP_BRK);
  BOOST_CHECK_EQUAL(vm.run(plenty, thread).reason, COMET_HALTED);
}

BOOST_AUTO_TEST_CASE(a_freed_thread_is_gone) {
  machine vm(code().add("halt"));
  const comet_thread thread = new_thread(vm, code_address);
  SUPPORT_OK(comet_thread_free(vm, thread, error));
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_run(vm, thread, 1, &stop, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_thread_free(vm, thread, error));
}

BOOST_AUTO_TEST_CASE(registers_of_callers_can_be_read_and_set) {
  code program;
  program.add("call", {4, code_address + 16});
  while (program.here() < code_address + 16) program.add("nop");
  program.add("brk");
  machine vm(program);
  vm.set(3, 33);
  vm.set(5, 55);
  vm.run();
  BOOST_CHECK_EQUAL(vm.get(1), 55u);
  BOOST_CHECK_EQUAL(vm.get(3, 0, 1), 33u);
  BOOST_CHECK_EQUAL(vm.get(5, 0, 1), 55u);
  SUPPORT_OK(comet_set_register(vm, 0, 1, 6, 66, error));
  BOOST_CHECK_EQUAL(vm.get(2), 66u);
  BOOST_CHECK_EQUAL(vm.get(0, 0, 1), 0u);
}

BOOST_AUTO_TEST_CASE(register_0_of_an_activation_cannot_be_set_through_its_caller) {
  code program;
  const std::uint64_t function = code_address + 32;
  program.add("call", {10, function}).add("halt");
  while (program.here() < function) program.add("nop");
  program.add("addi", {1, 0, 1}).add("addi", {1, 0, 1}).add("halt");
  machine vm(program);
  vm.run(2);
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_set_register(vm, 0, 1, 10, 4711, error));
  SUPPORT_OK(comet_set_register(vm, 0, 1, 9, 4711, error));
  vm.run();
  BOOST_CHECK_EQUAL(vm.get(1), 1u);
}

BOOST_AUTO_TEST_CASE(threads_can_be_listed) {
  machine vm(code().add("halt"));
  comet_thread first = 9, second = 9, none = 9;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address, &second, error));
  SUPPORT_OK(comet_next_thread(vm, 0, &first, error));
  BOOST_CHECK_EQUAL(first, 0u);
  SUPPORT_OK(comet_next_thread(vm, 1, &none, error));
  BOOST_CHECK_EQUAL(none, second);
  comet_error error = COMET_ERROR_INIT;
  BOOST_CHECK_EQUAL(comet_next_thread(vm, second + 1, &none, &error), COMET_ERROR_ARGUMENT);
}

BOOST_AUTO_TEST_SUITE_END()
