// States in memory, and the machines that are forked from them.
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "state_files.h"

using namespace support;

namespace {

constexpr std::uint64_t far_address = 0x700000000000;

comet_state* capture(const machine& vm) {
  comet_state* captured = nullptr;
  SUPPORT_OK(comet_state_capture(vm, nullptr, &captured, error));
  return captured;
}

machine fork_of(const machine& vm, const comet_state* from = nullptr) {
  comet_machine* forked = nullptr;
  SUPPORT_OK(comet_machine_fork(vm, from, &forked, error));
  return machine(forked);
}

// Adds up what it finds in the data and far away, and stores the sum over both, round for round.
code summing() {
  code text;
  text.add("imm", {1, 1000}).add("imm", {2, data_address}).add("imm", {3, far_address});
  const std::uint64_t loop = text.here(), function = code_address + 0x100;
  text.add("ldu64", {4, 2, 8}).add("ldu64", {5, 3, 8}).add("add", {6, 4, 5}).add("call", {10, function});
  text.add("add", {6, 6, 1}).add("st64", {2, 6, 8}).add("st64", {3, 6, 8});
  text.add("addi", {1, 1, 0 - std::uint64_t{1}}).add("bnei", {1, 0, loop}).add("halt");
  while (text.here() < function) text.add("nop");
  return text.add("imm", {1, 7}).add("ret");
}

struct summing_machine : machine {
  summing_machine() : machine(summing()) {
    map(far_address, 2 * COMET_PAGE_SIZE, read_write);
    write(data_address + 8, {5});
    write(far_address + 8, {7});
    write(far_address + COMET_PAGE_SIZE, {9});
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(forks)

BOOST_AUTO_TEST_CASE(a_fork_goes_on_to_the_same_end) {
  summing_machine original;
  original.run(1234);
  const machine twin = fork_of(original);
  BOOST_CHECK(twin.state_hash() == original.state_hash());
  BOOST_CHECK_EQUAL(twin.info().instruction_count, 1234u);
  machine first = fork_of(original), second = fork_of(twin);
  original.run();
  BOOST_CHECK(first.run().reason == COMET_HALTED);
  for (std::uint64_t n = 0; second.run(n).reason != COMET_HALTED; ++n) continue;
  BOOST_CHECK(first.state_hash() == original.state_hash());
  BOOST_CHECK(second.state_hash() == original.state_hash());
}

BOOST_AUTO_TEST_CASE(nobody_sees_what_another_writes) {
  summing_machine original;
  const state warm(capture(original));
  const hash before = original.state_hash();
  machine first = fork_of(original, warm), second = fork_of(original, warm);
  first.write(data_address, {1, 2, 3});
  first.write(far_address, {1, 2, 3});
  BOOST_CHECK(original.state_hash() == before);
  BOOST_CHECK(second.state_hash() == before);
  original.run();
  BOOST_CHECK(second.state_hash() == before);
  // The state is still what it was, and outlives the machine.
  BOOST_CHECK(fork_of(second, warm).state_hash() == before);
  second.run();
  BOOST_CHECK(second.state_hash() == original.state_hash());
}

BOOST_AUTO_TEST_CASE(pages_of_a_fork_are_zero_when_they_are_mapped_again) {
  summing_machine original;
  machine forked = fork_of(original);
  for (const std::uint64_t address : {data_address, far_address}) {
    SUPPORT_OK(comet_unmap(forked, 0, address, COMET_PAGE_SIZE, error));
    forked.map(address, COMET_PAGE_SIZE, read_write);
    BOOST_CHECK_EQUAL(forked.read_word(address + 8), 0u);
  }
  BOOST_CHECK_EQUAL(original.read_word(data_address + 8), 5u);
}

BOOST_AUTO_TEST_CASE(a_fork_has_pages_that_lie_apart) {
  machine original;
  for (const std::uint64_t page : {1, 2, 4, 5, 9}) {
    original.map(page * COMET_PAGE_SIZE, COMET_PAGE_SIZE, read_write);
    original.write(page * COMET_PAGE_SIZE, {static_cast<std::uint8_t>(page)});
  }
  const machine copy = fork_of(original);
  BOOST_CHECK(copy.state_hash() == original.state_hash());
  for (const std::uint64_t page : {1, 2, 4, 5, 9})
    BOOST_CHECK(copy.read(page * COMET_PAGE_SIZE, 1) == bytes{static_cast<std::uint8_t>(page)});
}

BOOST_AUTO_TEST_CASE(snapshots_of_a_fork_are_its_own) {
  summing_machine original;
  machine forked = fork_of(original);
  const hash before = forked.state_hash();
  snapshot taken(forked);
  forked.run(500);
  SUPPORT_OK(comet_unmap(forked, 0, data_address, COMET_PAGE_SIZE, error));
  const snapshot between(forked);
  taken.restore();
  BOOST_CHECK(forked.state_hash() == before);
  SUPPORT_OK(comet_snapshot_restore(forked, between.get(), error));
  SUPPORT_OK(comet_snapshot_restore(forked, taken.get(), error));
  forked.run();
  original.run();
  BOOST_CHECK(forked.state_hash() == original.state_hash());
}

BOOST_AUTO_TEST_CASE(code_that_a_fork_rewrites_is_executed_as_it_is_then) {
  machine original;
  original.load(code().add("imm", {1, 5}).add("halt"), COMET_READ | COMET_WRITE | COMET_EXECUTE);
  original.restart(code_address);
  original.run();
  machine forked = fork_of(original);
  forked.write(code_address, code().add("imm", {1, 6}).content());
  forked.restart(code_address);
  forked.run();
  original.restart(code_address);
  original.run();
  BOOST_CHECK_EQUAL(forked.get(1), 6u);
  BOOST_CHECK_EQUAL(original.get(1), 5u);
}

BOOST_AUTO_TEST_CASE(what_the_embedder_gave_goes_along_and_what_it_watches_does_not) {
  comet_config config = COMET_CONFIG_INIT;
  config.call_depth_limit = 77;
  machine original(code().add("hcall", {1, 0}).add("halt"), &config);
  SUPPORT_OK(comet_host_grant(original, "ask", nullptr, nullptr, error));
  original.import("ask");
  SUPPORT_OK(comet_host_grant(original, "more", nullptr, nullptr, error));
  SUPPORT_OK(comet_breakpoint_set(original, 0, code_address, error));
  machine forked = fork_of(original);
  comet_config limits = COMET_CONFIG_INIT;
  SUPPORT_OK(comet_machine_config(forked, &limits, error));
  BOOST_CHECK_EQUAL(limits.call_depth_limit, 77u);
  BOOST_CHECK_EQUAL(forked.run(10).reason, COMET_HOST_CALL);
  SUPPORT_OK(comet_host_complete(forked, 0, 3, error));
  BOOST_CHECK_EQUAL(forked.run(10).reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(original.info().instruction_count, 0u);
}

BOOST_AUTO_TEST_CASE(what_is_forbidden_stays_forbidden) {
  machine original(code().add("imm", {1, 2}).add("halt"));
  const std::uint64_t imm = original.read(code_address, 1)[0];
  SUPPORT_OK(comet_treat(original, imm, COMET_FORBIDDEN, error));
  machine forked = fork_of(original);
  BOOST_CHECK_EQUAL(forked.run(10).reason, COMET_TRAP);
}

BOOST_AUTO_TEST_CASE(a_host_call_in_flight_is_in_flight_in_the_fork) {
  machine original(code().add("hcall", {1, 0}).add("halt"));
  SUPPORT_OK(comet_host_grant(original, "ask", nullptr, nullptr, error));
  original.import("ask");
  BOOST_REQUIRE_EQUAL(original.run(10).reason, COMET_HOST_CALL);
  machine forked = fork_of(original);
  SUPPORT_OK(comet_host_complete(forked, 0, 3, error));
  BOOST_CHECK_EQUAL(forked.get(2), 3u);
  SUPPORT_OK(comet_host_complete(original, 0, 4, error));
  BOOST_CHECK_EQUAL(original.get(2), 4u);
}

BOOST_AUTO_TEST_CASE(an_empty_machine_is_forked) {
  const machine empty;
  BOOST_CHECK(fork_of(empty).state_hash() == empty.state_hash());
}

#if !defined(COMET_PORTABLE) && !defined(__SANITIZE_ADDRESS__)

// Kilobytes of memory that belong to this process alone.
std::uint64_t own_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kilobytes = 0;
    if (word == "RssAnon:" && status >> kilobytes) return kilobytes;
  }
  return 0;
}

BOOST_AUTO_TEST_CASE(many_forks_share_what_they_only_read) {
  constexpr std::uint64_t length = 64 * COMET_PAGE_SIZE, forks = 50;
  machine original;
  original.map(data_address, length, read_write);
  original.write(data_address, bytes(length, 1));
  const state warm(capture(original));
  const std::uint64_t before = own_kilobytes();
  std::vector<machine> made;
  for (std::uint64_t i = 0; i < forks; ++i) {
    made.push_back(fork_of(original, warm));
    BOOST_REQUIRE_EQUAL(made.back().read(data_address + length - 1, 1)[0], 1);
    for (std::uint64_t page = 0; page < length; page += COMET_PAGE_SIZE) made.back().read_word(data_address + page);
    made.back().write(data_address, {2});
  }
  BOOST_CHECK_LT(own_kilobytes() - before, forks * length / 1024 / 10);
}

#endif

BOOST_AUTO_TEST_CASE(what_is_no_fork_is_refused) {
  machine vm(code().add("halt"));
  comet_machine* forked = nullptr;
  const state warm(capture(vm));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_fork(nullptr, warm, &forked, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_machine_fork(vm, warm, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_capture(nullptr, nullptr, nullptr, error));
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_capture(vm, nullptr, nullptr, error));
  comet_state* state = nullptr;
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = warm;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_capture(vm, &options, &state, error));
  // The state of a machine that may call more than this one.
  machine rich(code().add("halt"));
  SUPPORT_OK(comet_host_grant(rich, "ask", nullptr, nullptr, error));
  rich.import("ask");
  const support::state needs(capture(rich));
  SUPPORT_FAILS(COMET_ERROR_CAPABILITY, comet_machine_fork(vm, needs, &forked, error));
  BOOST_CHECK(forked == nullptr);
}

BOOST_AUTO_TEST_CASE(a_state_in_memory_is_a_base_for_saving) {
  summing_machine original;
  const state warm(capture(original));
  original.write(data_address + 100, {1});
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.base = warm;
  bytes file;
  SUPPORT_OK(comet_state_save(original, &options, append, &file, nullptr, error));
  BOOST_CHECK_LT(file.size(), COMET_PAGE_SIZE);
  // Its pages stay in memory: only a base that was read from a file gives them.
  const state changed(file, warm);
  machine copy;
  SUPPORT_FAILS(COMET_ERROR_ARGUMENT, comet_state_restore(copy, changed, error));
}

BOOST_AUTO_TEST_SUITE_END()
