// The state hash: the same for the same state however it came about, another for any other state.
#include "support.h"

using namespace support;

namespace {

// Touches memory inside and beyond the window, makes calls, uses floats and thread registers; endless.
code busy_program() {
  code program;
  const std::uint64_t function = program.address() + 256;
  program.add("imm", {1, data_address})
      .add("imm", {2, 0x700000000000})
      .add("imm", {8, 3})
      .add("cvt_f64_u64", {7, 8});
  const std::uint64_t loop = program.here();
  program.add("addi", {3, 3, 1}).add("andi", {4, 3, 0x1fff}).add("stx64", {1, 4, 3}).add("stx32", {2, 4, 7});
  program.add("cvt_f64_u64", {5, 3}).add("fdiv", {7, 5, 7}).add("ffma", {6, 7, 5}).add("fsqrt", {7, 6});
  program.add("mov", {21, 3}).add("call", {20, function}).add("tset", {3, 21}).add("aadd64", {9, 1, 3});
  program.add("bnei", {3, 0, loop}).add("halt");
  BOOST_REQUIRE_LT(program.here(), function);
  while (program.here() < function) program.add("nop");
  program.add("muli", {1, 1, 0x1234567}).add("rotli", {1, 1, 13}).add("ret");
  return program;
}

constexpr std::uint64_t length = 20011;

std::unique_ptr<machine> busy_machine(std::uint64_t window = std::uint64_t{1} << 32) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  auto vm = std::make_unique<machine>(busy_program(), &config);
  vm->map(data_address, 0x20000, read_write);
  vm->map(0x700000000000, 0x20000, read_write);
  return vm;
}

hash reference() {
  const auto vm = busy_machine();
  BOOST_REQUIRE_EQUAL(vm->run(length).executed, length);
  return vm->state_hash();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(state_hash)

BOOST_AUTO_TEST_CASE(single_steps_give_the_hash_of_one_run) {
  const auto vm = busy_machine();
  for (std::uint64_t n = 0; n < length; ++n) vm->run(1);
  BOOST_CHECK(vm->state_hash() == reference());
}

BOOST_AUTO_TEST_CASE(slices_of_any_size_give_the_hash_of_one_run) {
  for (const std::uint64_t slice : {2, 3, 17, 1000, 4096}) {
    const auto vm = busy_machine();
    for (std::uint64_t done = 0; done < length;) done += vm->run(std::min(slice, length - done)).executed;
    BOOST_CHECK(vm->state_hash() == reference());
  }
}

BOOST_AUTO_TEST_CASE(every_size_of_the_window_gives_the_same_hash) {
  for (const std::uint64_t window :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x20000}, std::uint64_t{0x30000},
        std::uint64_t{0x30001}, std::uint64_t{1} << 30, std::uint64_t{1} << 36}) {
    const auto vm = busy_machine(window);
    vm->run(length);
    BOOST_CHECK_MESSAGE(vm->state_hash() == reference(), "window " << window);
  }
}

BOOST_AUTO_TEST_CASE(watching_does_not_change_the_hash) {
  const auto vm = busy_machine();
  std::uint32_t id = 0;
  SUPPORT_OK(comet_watchpoint_set(*vm, 0, data_address, 0x20000, read_write, &id, error));
  for (std::uint64_t done = 0; done < length;) done += vm->run(length - done).executed;
  SUPPORT_OK(comet_watchpoint_clear(*vm, id, error));
  BOOST_CHECK(vm->state_hash() == reference());
}

BOOST_AUTO_TEST_CASE(the_hash_is_this_one_on_every_host_and_build) {
  const auto vm = busy_machine();
  vm->run(length);
  const hash found = vm->state_hash();
  std::string text;
  for (const std::uint8_t byte : found) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  BOOST_CHECK_EQUAL(text, "d462034ac23924527e95346d910ff7f1");
}

BOOST_AUTO_TEST_CASE(every_part_of_the_state_counts) {
  const auto vm = busy_machine();
  vm->run(100);
  snapshot mark(*vm);
  std::vector<hash> seen = {vm->state_hash()};
  const auto differs = [&](const char* what) {
    const hash now = vm->state_hash();
    for (const hash& other : seen) BOOST_CHECK_MESSAGE(now != other, what);
    seen.push_back(now);
    mark.restore();
    BOOST_CHECK(vm->state_hash() == seen.front());
  };
  vm->write(data_address + 70000, {1});
  differs("a byte of memory");
  vm->write(0x700000000000 + 70000, {1});
  differs("a byte of memory beyond the window");
  vm->set(30, 1);
  differs("a register");
  vm->set(31, 1);
  differs("another register");
  vm->set(5000, 1);
  differs("a register far up");
  SUPPORT_OK(comet_set_thread_register(*vm, 0, 15, 1, error));
  differs("a thread register");
  SUPPORT_OK(comet_set_thread_register(*vm, 0, 14, 1, error));
  differs("another thread register");
  vm->set_pc(code_address + 1);
  differs("the pc");
  SUPPORT_OK(comet_protect(*vm, 0, data_address, 1, COMET_READ, error));
  differs("a protection");
  vm->map(0x80000, 1, read_write);
  differs("a page of zeros");
  vm->map(0x90000, 1, read_write);
  differs("a page of zeros elsewhere");
  SUPPORT_OK(comet_unmap(*vm, 0, data_address + 0x10000, 1, error));
  differs("a page that is gone");
  vm->import("name");
  differs("an import");
  vm->import("name2");
  differs("another import");
  vm->run(1);
  differs("an instruction");
  comet_thread thread = 0;
  SUPPORT_OK(comet_thread_new(*vm, 0, 0, &thread, error));
  differs("a thread");
  comet_space space = 0;
  SUPPORT_OK(comet_space_new(*vm, &space, error));
  differs("a space");
}

BOOST_AUTO_TEST_CASE(what_is_not_state_does_not_count) {
  const auto vm = busy_machine();
  vm->run(100);
  const hash before = vm->state_hash();
  std::uint32_t id = 0;
  SUPPORT_OK(comet_breakpoint_set(*vm, 0, code_address, error));
  SUPPORT_OK(comet_watchpoint_set(*vm, 0, data_address, 1, COMET_WRITE, &id, error));
  SUPPORT_OK(comet_host_grant(*vm, "some", nullptr, nullptr, error));
  const char* const arguments[] = {"a", "b"};
  SUPPORT_OK(comet_set_arguments(*vm, 2, arguments, error));
  snapshot mark(*vm);
  BOOST_CHECK(vm->state_hash() == before);
}

BOOST_AUTO_TEST_CASE(registers_that_were_used_and_are_zero_again_do_not_count) {
  machine one(code().add("halt"));
  machine other(code().add("halt"));
  other.set(5000, 7);
  other.set(5000, 0);
  BOOST_CHECK(one.state_hash() == other.state_hash());
}

BOOST_AUTO_TEST_CASE(a_trap_leaves_the_hash_as_it_was) {
  const code traps[] = {code().add("brk"),
                        code().add("div_u", {1, 2, 0}),
                        code().add("st64", {0, 1, 0}),
                        code().add("bcopy", {4, 5, 6}),
                        code().add("hcall", {1, 5}),
                        code().add("aadd64", {1, 7, 2}),
                        code().add("trap", {5}),
                        code().add("mov", {UINT64_MAX, 1}),
                        code().add("mov", {1, UINT64_MAX}),
                        code().add("call", {UINT64_MAX, code_address})};
  for (const code& trap : traps) {
    machine vm(trap);
    vm.set(4, data_address + 0xfff0);
    vm.set(5, data_address);
    vm.set(6, 32);
    vm.set(7, data_address + 1);
    vm.set(300, 9);
    const hash before = vm.state_hash();
    BOOST_CHECK_EQUAL(vm.run().reason, COMET_TRAP);
    BOOST_CHECK(vm.state_hash() == before);
    BOOST_CHECK_EQUAL(vm.info().registers, 301u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
