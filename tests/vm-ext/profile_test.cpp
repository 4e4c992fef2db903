// Profiles (what comet_observe counts), and what a machine tells of decoded code.
#include <map>

#include "support.h"

using namespace support;

namespace {

using counts = std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t>;

class profile {
 public:
  profile() { SUPPORT_OK(comet_profile_new(&handle_, error)); }
  ~profile() { comet_profile_free(handle_); }
  profile(const profile&) = delete;
  profile& operator=(const profile&) = delete;
  operator comet_profile*() const { return handle_; }

  comet_stop run(const machine& vm, std::uint64_t fuel = plenty, std::uint64_t weight = 1) {
    comet_observation observation = COMET_OBSERVATION_INIT;
    observation.profile = handle_;
    observation.profile_weight = weight;
    comet_stop stop = COMET_STOP_INIT;
    SUPPORT_OK(comet_observe(vm, 0, fuel, &observation, &stop, error));
    return stop;
  }
  counts table(comet_profile_table which) const {
    counts found;
    comet_profile_row row = COMET_PROFILE_ROW_INIT;
    for (std::size_t n = 0; comet_profile_read(handle_, which, n, &row, nullptr) == COMET_OK; ++n)
      found[{row.of, row.what}] = row.count;
    return found;
  }
  comet_profile_info info() const {
    comet_profile_info info = COMET_PROFILE_INFO_INIT;
    SUPPORT_OK(comet_profile_get(handle_, &info, error));
    return info;
  }

 private:
  comet_profile* handle_ = nullptr;
};

constexpr std::uint64_t none = COMET_PROFILE_NONE;

std::uint64_t opcode(const char* name) {
  comet_instruction instruction = COMET_INSTRUCTION_INIT;
  for (std::size_t n = 0; comet_isa_instruction(n, &instruction, nullptr) == COMET_OK; ++n)
    if (instruction.name == std::string(name)) return instruction.opcode;
  BOOST_FAIL("no instruction " << name);
  return 0;
}

comet_statistics statistics(const machine& vm) {
  comet_statistics found = COMET_STATISTICS_INIT;
  SUPPORT_OK(comet_machine_statistics(vm, &found, error));
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(profiles)

// Calls a function twice; that calls another by tail, which loads and stores.
BOOST_AUTO_TEST_CASE(instructions_are_counted_by_stack_pair_and_memory) {
  constexpr std::uint64_t first = code_address + 64, second = code_address + 128;
  code program;
  program.add("imm", {1, 2}).add("call", {4, first}).add("addi", {1, 1, 0 - std::uint64_t{1}})
      .add("bnei", {1, 0, code_address + 3}).add("halt");
  machine vm(program);
  vm.load(code(first).add("tail", {second}), all_rights);
  vm.load(code(second).add("imm", {1, data_address + 1020}).add("st64", {1, 0, 0}).add("ldu8", {2, 1, 0}).add("ret"), all_rights);
  vm.restart(code_address);
  profile seen;
  BOOST_CHECK_EQUAL(seen.run(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(seen.info().instructions, 2u + 2 * 8);
  BOOST_CHECK_EQUAL(seen.info().lost, 0u);
  BOOST_CHECK((seen.table(COMET_PROFILE_STACKS) == counts{{{none, code_address}, 0}, {{0, first}, 2}, {{0, second}, 2}}));
  const counts places = seen.table(COMET_PROFILE_PLACES);
  BOOST_CHECK_EQUAL(places.at({0, code_address}), 1u);
  BOOST_CHECK_EQUAL(places.at({0, code_address + 3}), 2u); // the call itself is the caller's
  BOOST_CHECK_EQUAL(places.at({1, first}), 2u);
  BOOST_CHECK_EQUAL(places.at({2, second}), 2u);
  const counts pairs = seen.table(COMET_PROFILE_PAIRS);
  BOOST_CHECK_EQUAL(pairs.at({none, opcode("imm")}), 1u);
  BOOST_CHECK_EQUAL(pairs.at({opcode("call"), opcode("tail")}), 2u);
  BOOST_CHECK_EQUAL(pairs.at({opcode("bnei"), opcode("call")}), 1u);
  BOOST_CHECK((seen.table(COMET_PROFILE_ACCESSES) ==
               counts{{{data_address, COMET_WRITE}, 2}, {{data_address + 1024, COMET_WRITE}, 2}, {{data_address, COMET_READ}, 2}}));
}

BOOST_AUTO_TEST_CASE(runs_that_are_counted_in_pieces_are_counted_as_one_and_change_nothing) {
  const code program = code().add("addi", {1, 1, 1}).add("blti_u", {1, 50, code_address}).add("halt");
  machine plain(program), whole(program), pieces(program);
  plain.run();
  profile one, several;
  one.run(whole);
  while (several.run(pieces, 7).reason == COMET_OUT_OF_FUEL) {
  }
  for (const comet_profile_table table : {COMET_PROFILE_STACKS, COMET_PROFILE_PLACES, COMET_PROFILE_PAIRS, COMET_PROFILE_ACCESSES})
    BOOST_CHECK(one.table(table) == several.table(table));
  BOOST_CHECK(plain.state_hash() == whole.state_hash());
  BOOST_CHECK(plain.state_hash() == pieces.state_hash());
}

BOOST_AUTO_TEST_CASE(samples_stand_for_as_many_instructions_as_they_are_said_to) {
  machine vm(code().add("addi", {1, 1, 1}).add("jump", {code_address}));
  profile seen;
  for (int i = 0; i < 10; ++i) {
    vm.run(900);
    seen.run(vm, 100, 10);
  }
  BOOST_CHECK_EQUAL(seen.info().instructions, 10000u);
  BOOST_CHECK_EQUAL(seen.table(COMET_PROFILE_PLACES).at({0, code_address}), 5000u);
  // What lies between two looks is no pair.
  BOOST_CHECK_EQUAL(seen.table(COMET_PROFILE_PAIRS).at({none, opcode("addi")}), 100u);
}

BOOST_AUTO_TEST_CASE(activations_beyond_the_depth_of_a_stack_count_as_the_last) {
  constexpr std::uint64_t deep = 1000;
  machine vm(code().add("addi", {1, 1, 1}).add("bgei_u", {1, deep, code_address + 30}).add("st64", {2, 1, 0})
                 .add("ldu64", {1, 2, 0}).add("mov", {6, 2}).add("mov", {5, 1}).add("call", {4, code_address}).add("ret"));
  vm.set(2, data_address);
  vm.load(code(code_address + 30).add("ret"), all_rights);
  profile seen;
  seen.run(vm);
  BOOST_CHECK_EQUAL(vm.info().activations, 1u);
  const counts stacks = seen.table(COMET_PROFILE_STACKS);
  BOOST_CHECK_EQUAL(stacks.size(), static_cast<std::size_t>(COMET_PROFILE_DEPTH));
  counts places = seen.table(COMET_PROFILE_PLACES);
  BOOST_CHECK_EQUAL(places.at({0, code_address}), 1u);
  BOOST_CHECK_EQUAL(places.at({COMET_PROFILE_DEPTH - 1, code_address}), deep - COMET_PROFILE_DEPTH + 1);
  BOOST_CHECK_EQUAL(seen.info().instructions, vm.info().instruction_count);
  // So do those that were there before anything was counted.
  machine on_its_way(code().add("mov", {5, 1}).add("call", {4, code_address}));
  on_its_way.run(2 * deep);
  profile later;
  later.run(on_its_way, 1);
  BOOST_CHECK_EQUAL(later.table(COMET_PROFILE_STACKS).size(), static_cast<std::size_t>(COMET_PROFILE_DEPTH));
}

// More functions than there is room for stacks of.
BOOST_AUTO_TEST_CASE(what_finds_no_room_is_told_of) {
  constexpr std::uint64_t functions = 65536 + 99, area = 0x100000;
  machine vm(code().add("callr", {4, 1}).add("addi", {1, 1, 1}).add("blt_u", {1, 2, code_address}).add("halt"));
  vm.map(area, functions, all_rights);
  vm.write(area, bytes(functions, static_cast<std::uint8_t>(opcode("ret"))));
  vm.set(1, area);
  vm.set(2, area + functions);
  profile seen;
  BOOST_CHECK_EQUAL(seen.run(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(seen.table(COMET_PROFILE_STACKS).size(), 65536u); // with the outermost
  BOOST_CHECK_EQUAL(seen.info().lost, 100u);
  BOOST_CHECK_EQUAL(seen.info().instructions, 4 * functions + 1);
}

BOOST_AUTO_TEST_CASE(what_is_no_table_or_row_is_refused) {
  profile seen;
  comet_profile_row row = COMET_PROFILE_ROW_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_profile_read(seen, 4, 0, &row, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_profile_read(seen, COMET_PROFILE_STACKS, 0, &row, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_profile_new(nullptr, error));
  machine vm(code().add("halt"));
  comet_observation observation = COMET_OBSERVATION_INIT;
  observation.profile = seen;
  observation.profile_weight = 0;
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_observe(vm, 0, 1, &observation, &stop, error));
  comet_profile_free(nullptr);
}

BOOST_AUTO_TEST_CASE(a_profile_that_a_callback_frees_stays_until_the_run_ends) {
  machine vm(code().add("hcall", {10, 0}).add("nop").add("halt"));
  vm.import("free");
  comet_profile* counted = nullptr;
  SUPPORT_OK(comet_profile_new(&counted, error));
  const comet_host_function frees = [](comet_call*, void* data) {
    comet_profile_free(static_cast<comet_profile*>(data));
    // What was counted is there to the end of the run.
    comet_profile_info info = COMET_PROFILE_INFO_INIT;
    return comet_profile_get(static_cast<comet_profile*>(data), &info, nullptr);
  };
  SUPPORT_OK(comet_host_grant(vm, "free", frees, counted, error));
  comet_observation observation = COMET_OBSERVATION_INIT;
  observation.profile = counted;
  comet_stop stop = COMET_STOP_INIT;
  SUPPORT_OK(comet_observe(vm, 0, plenty, &observation, &stop, error));
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
}

// A host call that is counted runs another thread, which is counted in the same.
BOOST_AUTO_TEST_CASE(runs_within_a_run_count_in_one_profile) {
  machine vm(code().add("hcall", {10, 0}).add("nop").add("halt"));
  vm.import("run");
  comet_thread other = 0;
  SUPPORT_OK(comet_thread_new(vm, 0, code_address + 3, &other, error));
  profile both;
  const comet_host_function runs = [](comet_call* call, void* data) {
    comet_observation observation = COMET_OBSERVATION_INIT;
    observation.profile = *static_cast<const profile*>(data);
    comet_stop stop = COMET_STOP_INIT;
    return comet_observe(comet_call_machine(call), 1, plenty, &observation, &stop, nullptr);
  };
  SUPPORT_OK(comet_host_grant(vm, "run", runs, &both, error));
  BOOST_CHECK_EQUAL(both.run(vm).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(both.info().instructions, 3u + 2);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(decoded_code)

// A million instructions, of which a hundred are executed.
BOOST_AUTO_TEST_CASE(only_what_is_executed_is_decoded) {
  constexpr std::uint64_t million = 1000000, program = 0x100000;
  code text(program);
  bytes content;
  text.add("addi", {1, 1, 1});
  for (std::uint64_t n = 0; n < million; ++n) content.insert(content.end(), text.content().begin(), text.content().end());
  machine vm;
  vm.map(program, content.size(), all_rights);
  vm.write(program, content);
  vm.restart(program);
  BOOST_CHECK_EQUAL(statistics(vm).decoded_bytes, 0u);
  BOOST_CHECK_EQUAL(vm.run(1000).executed, 1000u);
  const comet_statistics after = statistics(vm);
  BOOST_CHECK_LE(after.decoded_instructions, 1100u);
  BOOST_CHECK_LE(after.decoded_bytes, 128u * 1024);
  BOOST_CHECK_EQUAL(after.decoded_drops, 0u);
}

// A program that writes a piece of code somewhere new, again and again, and executes it.
BOOST_AUTO_TEST_CASE(memory_for_decoded_code_is_bounded) {
  constexpr std::uint64_t area = 0x1000000, pages = 1200, step = 1024, pieces = pages * COMET_PAGE_SIZE / step;
  const code piece = code().add("jumpr", {3});
  code program;
  program.add("imm", {1, area}).add("imm", {2, area + pages * COMET_PAGE_SIZE});
  const std::uint64_t again = program.here();
  program.add("jalr", {3, 1}).add("addi", {1, 1, step}).add("blt_u", {1, 2, again}).add("halt");
  machine vm(program);
  vm.map(area, pages * COMET_PAGE_SIZE, all_rights);
  bytes content(pages * COMET_PAGE_SIZE);
  for (std::uint64_t n = 0; n < pieces; ++n) std::copy(piece.content().begin(), piece.content().end(), content.begin() + static_cast<long>(n * step));
  vm.write(area, content);
  std::uint64_t most = 0;
  comet_stop stop = COMET_STOP_INIT;
  do {
    stop = vm.run(100000);
    most = std::max(most, statistics(vm).decoded_bytes);
  } while (stop.reason == COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(stop.reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(stop.instruction_count, 3 + 4 * pieces);
  BOOST_CHECK_LE(most, statistics(vm).decoded_limit + COMET_PAGE_SIZE * 2);
#ifndef COMET_REFERENCE_ONLY // the reference loop keeps so little that it never comes near the limit
  BOOST_CHECK_GE(statistics(vm).decoded_drops, 1u);
  BOOST_CHECK_GE(most, statistics(vm).decoded_limit / 2);
#endif
}

BOOST_AUTO_TEST_SUITE_END()
