// Decoding for the fast loop: whatever lengths fields have, wherever blocks begin, branch to and end, what is executed is
// what the reference loop makes of the same bytes.
#include <algorithm>
#include <random>
#include <vector>

#include "support.h"
#include "vm-ext/isa/isa.h"
#include "vm-ext/machine/fast.h"
#include "vm-ext/machine/machine.h"

using namespace support;

namespace {

constexpr unsigned instructions = 120;
constexpr std::uint64_t fuel = 600;

// A program of random instructions. A field is as long as it needs to be, or longer.
class Drawn {
 public:
  explicit Drawn(std::mt19937_64& random) : random_(random) {
    // Some stand across the end of a page, where instructions are not decoded as they lie.
    address_ = code_address + (one_of(2) ? COMET_PAGE_SIZE - one_of(400) : one_of(64));
    for (unsigned n = 0; n < instructions; ++n) add();
    begins_.push_back(here());
    content_.push_back(127); // halt
    for (const auto& [at, length, from] : targets_) {
      const std::uint64_t distance = begins_[one_of(begins_.size())] - from;
      write(at, distance << 1 ^ (0 - (distance >> 63)), length);
    }
  }
  machine make() const {
    machine vm;
    vm.map(code_address, 2 * COMET_PAGE_SIZE, read_execute);
    vm.write(address_, content_);
    vm.restart(address_);
    for (std::uint64_t n = 1; n < 8; ++n) vm.set(n, n * 0x9e3779b97f4a7c15);
    return vm;
  }

 private:
  std::uint64_t one_of(std::uint64_t count) { return random_() % count; }
  std::uint64_t here() const { return address_ + content_.size(); }
  std::uint64_t drawn_register() {
    constexpr std::uint64_t rare[] = {0, 127, 128, 300, 65535, 65536};
    return one_of(12) == 0 ? rare[one_of(std::size(rare))] : 1 + one_of(7);
  }
  void write(std::size_t at, std::uint64_t value, unsigned length) {
    for (unsigned n = 0; n < length; ++n, value >>= 7)
      content_[at + n] = static_cast<std::uint8_t>((value & 0x7f) | (n + 1 < length ? 0x80 : 0));
  }
  void append(std::uint64_t value) {
    unsigned length = 1;
    while (length < 10 && value >> (7 * length) != 0) ++length;
    if (one_of(10) == 0) length += static_cast<unsigned>(one_of(11 - length));
    content_.resize(content_.size() + length);
    write(content_.size() - length, value, length);
  }
  void add() {
    using namespace comet::isa;
    constexpr Operation operations[] = {
        op_add, op_sub, op_xor, op_mul, op_mov, op_not, op_addi, op_addi, op_andi, op_shli, op_eq, op_select, op_min_u, op_addi32,
        op_imm, op_imm, op_simm, op_pcimm, op_nop, op_tget, op_tset, op_beq, op_bnei, op_blti_u, op_blt_s, op_jump, op_jal,
        op_brz, op_call, op_ret, op_tail, op_bcopy, op_div_u, op_ldu64, op_hcall};
    // What ends blocks or traps is rarer.
    std::size_t which = one_of(std::size(operations));
    if (which >= 25 && one_of(3) != 0) which = one_of(25);
    const Instruction& instruction = describe(operations[which]);
    const std::uint64_t from = here();
    begins_.push_back(from);
    append(instruction.opcode);
    for (const char* kind = instruction.operands; *kind != 0; ++kind) {
      if (*kind == 'p') {
        const unsigned length = 3 + static_cast<unsigned>(one_of(4)); // enough for each distance
        targets_.push_back({content_.size(), length, from});
        content_.resize(content_.size() + length);
      } else if (*kind == 't') {
        append(one_of(17)); // one too many
      } else if (names_register(*kind)) {
        append(drawn_register());
      } else {
        append(one_of(4) == 0 ? random_() >> one_of(64) : one_of(one_of(3) == 0 ? 20000 : 100));
      }
    }
  }

  std::mt19937_64& random_;
  std::uint64_t address_;
  bytes content_;
  std::vector<std::uint64_t> begins_; // of instructions
  struct Target {
    std::size_t at;
    unsigned length;
    std::uint64_t from; // its instruction
  };
  std::vector<Target> targets_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(decoding)

BOOST_AUTO_TEST_CASE(fields_of_any_length_mean_what_they_mean_to_the_reference_loop) {
  std::mt19937_64 random(1);
  std::uint64_t executed = 0;
  for (unsigned n = 0; n < 400; ++n) {
    const Drawn program(random);
    machine fast = program.make(), reference = program.make();
    comet_stop stop{}, expected{};
    do expected = reference.run(1);
    while (expected.reason == COMET_OUT_OF_FUEL && expected.instruction_count < fuel);
    stop = fast.run(fuel);
    BOOST_REQUIRE_MESSAGE(stop.reason == expected.reason && stop.pc == expected.pc && stop.trap == expected.trap &&
                              stop.instruction_count == expected.instruction_count && fast.state_hash() == reference.state_hash(),
                          "program " << n << ": " << comet_reason_name(stop.reason) << " at " << stop.pc << " after "
                                     << stop.instruction_count << ", expected " << comet_reason_name(expected.reason) << " at "
                                     << expected.pc << " after " << expected.instruction_count);
    executed += stop.instruction_count;
  }
  BOOST_TEST(executed > 10000u); // they do not all end at once
}

BOOST_AUTO_TEST_CASE(numbers_at_the_edges_of_each_length_mean_what_they_say) {
  constexpr std::uint64_t nowhere = code_address - 1000, end = code_address + 1000;
  for (unsigned bit = 0; bit < 64; ++bit)
    for (const std::uint64_t off : {0 - std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{1}})
      for (const bool negative : {false, true}) {
        const std::uint64_t edge = (std::uint64_t{1} << bit) + off, value = negative ? 0 - edge : edge;
        code program;
        program.add("imm", {1, value}).add("addi", {2, 0, value}).add("mov", {3, 1});
        program.add("bnei", {1, value, nowhere}).add("beqi", {1, value ^ 1 << 8, nowhere}).add("beqi", {1, value, end});
        machine vm(program);
        vm.write(end, {127}); // halt
        const comet_stop stop = vm.run(100);
        BOOST_TEST_CONTEXT("value " << value) {
          BOOST_TEST(stop.reason == COMET_HALTED);
          BOOST_TEST(stop.pc == end);
          BOOST_TEST(vm.get(1) == value);
          BOOST_TEST(vm.get(2) == value);
        }
      }
}

#ifndef COMET_REFERENCE_ONLY
BOOST_AUTO_TEST_CASE(blocks_begin_where_branches_lead_to_also_when_the_fuel_ends_there) {
  // So many instructions before the fuel ends the fast loop leaves the rest to the reference loop: here at the jump.
  constexpr std::uint64_t fuel_there = comet::fast_margin + 44;
  code program;
  for (unsigned n = 0; n < 44; ++n) program.add("addi", {1, 1, 1});
  const std::uint64_t function = program.here() + 3;
  program.add("jump", {function + 41 * 4});
  BOOST_REQUIRE_EQUAL(program.here(), function);
  for (unsigned n = 0; n < 40; ++n) program.add("addi", {2, 2, 1});
  program.add("ret").add("nop").add("nop").add("nop");
  const std::uint64_t loop = program.here();
  BOOST_REQUIRE_EQUAL(loop, function + 41 * 4);
  for (unsigned n = 0; n < 3; ++n) program.add("addi", {3, 3, 1}).add("call", {10, function});
  program.add("blti_u", {3, 30, loop}).add("halt");
  machine vm(program);
  std::size_t length = 0; // of the block at the loop
  comet::CodeCache& cache = vm.get()->space(0).code;
  cache.block_observer = [&](std::span<const comet::CodeCache::BlockInstruction> block) {
    if (cache.address_of(block.front().slot) == loop) length = block.size();
  };
  BOOST_REQUIRE_EQUAL(vm.run(fuel_there).reason, COMET_OUT_OF_FUEL);
  BOOST_CHECK_EQUAL(vm.run().reason, COMET_HALTED);
  BOOST_CHECK_EQUAL(length, 8u); // not cut where a call returned to
}

BOOST_AUTO_TEST_CASE(no_block_begins_where_a_run_happened_to_end) {
  code program;
  const std::uint64_t loop = program.here();
  for (unsigned n = 0; n < 150; ++n) program.add("addi", {1, 1, 1}); // of which only some can be entered
  program.add("addi", {2, 2, 1}).add("blti_u", {2, 300, loop}).add("halt");
  machine vm(program);
  std::vector<std::uint64_t> begins;
  comet::CodeCache& cache = vm.get()->space(0).code;
  cache.block_observer = [&](std::span<const comet::CodeCache::BlockInstruction> block) {
    begins.push_back(cache.address_of(block.front().slot));
  };
  while (vm.run(997).reason == COMET_OUT_OF_FUEL) {}
  // One behind the other, as each is full.
  const std::uint64_t block = 4 * comet::block_instructions;
  const std::vector<std::uint64_t> expected{loop, loop + block, loop + 2 * block};
  std::sort(begins.begin(), begins.end());
  BOOST_CHECK_EQUAL_COLLECTIONS(begins.begin(), begins.end(), expected.begin(), expected.end());
}
#endif

// Each such call is three instructions, so a block of them could do more than the fuel that the fast loop keeps back.
BOOST_AUTO_TEST_CASE(fuel_ends_exactly_among_calls_that_return_at_once) {
  code program;
  const std::uint64_t function = program.here();
  program.add("blti_u", {1, 2, function + 8}).add("addi", {1, 1, 1}).add("ret");
  const std::uint64_t loop = program.here();
  for (unsigned n = 0; n < 70; ++n) program.add("call", {10, function});
  program.add("jump", {loop});
  machine reference(program), vm(program);
  reference.restart(loop);
  for (std::uint64_t fuel = 1; fuel <= 700; ++fuel) {
    reference.run(1);
    vm.restart(loop);
    BOOST_REQUIRE_EQUAL(vm.run(fuel).instruction_count, fuel);
    BOOST_REQUIRE(vm.state_hash() == reference.state_hash());
  }
}

BOOST_AUTO_TEST_SUITE_END()
