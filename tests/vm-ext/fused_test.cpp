// Every sequence of fused.def in programs of its own: what the fast loop makes of it is what the reference loop
// does one instruction at a time. Fuel ends at each position, execution begins at each, stops at a breakpoint at
// each, and leaves by traps and branches as chance has it.
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "support.h"
#include "vm-ext/machine/fast.h"
#include "vm-ext/machine/machine.h"
#include "vm-ext/machine/sequences.h"

using namespace support;

namespace {

constexpr std::uint64_t window = 100;      // of the function that holds the sequence
constexpr std::uint64_t callee_window = 60; // of what it calls, from there
constexpr std::size_t table_offset = 1000; // of a jump's table, behind the program
constexpr std::uint64_t table_entries = 4;
constexpr std::uint64_t nowhere = 0x700000000000;
constexpr unsigned trials = 1000; // at most
constexpr std::uint64_t rounds = 20; // instructions at whose positions fuel ends: more than two rounds
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t step = 8; // slow: some of the sequences
#else
constexpr std::size_t step = 1;
#endif
constexpr std::uint64_t warm = 2 * comet::fast_margin;

enum class Shape { sets, tests, tests_immediate, loads, loads_indexed, stores, stores_indexed, other };

// Which operands may be the accumulator: the first of them, and whether the next one is another.
struct Sources {
  Shape shape;
  unsigned first, count;
};

Sources sources_of(const std::string& name) {
#define SOURCES(each, shape, first, count) \
  if (name == #each) return {Shape::shape, first, count};
#define UNARY(each, result) SOURCES(each, sets, 1, 1)
#define BINARY(each, result) SOURCES(each, sets, 1, 2)
#define BINARY_IMMEDIATE(each, result) SOURCES(each, sets, 1, 1)
#define MODIFY(each, result) SOURCES(each, sets, 1, 2)
#define CHECKED_UNARY(each, trap, result) SOURCES(each, sets, 1, 1)
#define CHECKED_BINARY(each, trap, result) SOURCES(each, sets, 1, 2)
#define BRANCH(each, condition) SOURCES(each, tests, 0, 2)
#define BRANCH_IMMEDIATE(each, condition) SOURCES(each, tests_immediate, 0, 1)
#define LOAD(each, type) SOURCES(each, loads, 1, 1)
#define STORE(each, type) SOURCES(each, stores, 0, 2)
#define LOAD_INDEXED(each, type) SOURCES(each, loads_indexed, 1, 2)
#define STORE_INDEXED(each, type) SOURCES(each, stores_indexed, 1, 2)
#include "vm-ext/machine/operations.def"
  SOURCES(jtab, tests_immediate, 0, 1)
  return {Shape::other, 0, 0};
}

struct Part {
  std::string name;
  unsigned variant;
  std::string callee_begins; // with this branch, in a call that does it too
};

std::vector<std::vector<Part>> all_sequences() {
  std::vector<std::vector<Part>> all;
  for (const char* line : {
#define FUSED(...) #__VA_ARGS__,
#include "vm-ext/machine/fused.def"
#undef FUSED
       }) {
    std::istringstream words(line);
    std::string word;
    all.emplace_back();
    while (words >> word) {
      const std::size_t open = word.find('<');
      Part part{word.substr(5, open - 5), static_cast<unsigned>(word[open + 1] - '0'), ""};
      if (part.name.rfind("call_", 0) == 0) {
        part.callee_begins = part.name.substr(5);
        part.name = "call";
      }
      all.back().push_back(part);
    }
  }
  return all;
}

comet::PartKey key_of(const Part& part) {
  for (unsigned n = 0; n < comet::isa::operation_count; ++n) {
    const auto operation = static_cast<comet::isa::Operation>(n);
    const std::string name = comet::isa::describe(operation).name;
    if (!part.callee_begins.empty() && name == part.callee_begins) return comet::early_call_key(operation, part.variant);
    if (part.callee_begins.empty() && name == part.name) return comet::part_key(operation, part.variant);
  }
  BOOST_FAIL("fused.def has a part of no instruction: " << part.name);
  return 0;
}

std::string kinds_of(const Part& part) {
  return comet::isa::describe(static_cast<comet::isa::Operation>(key_of({part.name, 0, ""}) / 4)).operands;
}

// A program around a sequence: a loop calls a function, which gives the accumulator a value and goes through the
// sequence. Registers are chosen by chance, so that operands are where the variants want them.
class Trial {
 public:
  Trial(const std::vector<Part>& parts, std::mt19937_64& random) : random_(random) {
    for (const Part& part : parts)
      if (!part.callee_begins.empty()) early_callees_[part.callee_begins] = {code_address, code_address};
    // Twice, as distances to what stands behind are not known before.
    const std::mt19937_64 before = random_;
    for (int pass = 0; pass < 2; ++pass) {
      random_ = before;
      write(parts);
    }
    for (std::uint64_t n = 1; n <= 15; ++n) values_.push_back(value_of(n));
    argument_ = below(4);
  }

  void prepare(machine& vm) const {
    bytes content = program_.content();
    content.resize(table_offset); // over what an earlier one left
    for (std::uint64_t n = 0; n < table_entries; ++n) {
      const std::uint64_t distance = end_ + n % 2 - (code_address + table_offset);
      for (unsigned i = 0; i < 4; ++i) content.push_back(static_cast<std::uint8_t>(distance >> (8 * i)));
    }
    vm.write(program_.address(), content);
    vm.write(data_address, data_);
    vm.restart(code_address);
    for (std::size_t n = 0; n < values_.size(); ++n) vm.set(window + 1 + n, values_[n]);
    vm.set(window + 14, end_);
    vm.set(window + 15, callee_);
    for (std::uint64_t n = 1; n <= 2; ++n) vm.set(window + callee_window + n, argument_);
  }

  const std::vector<std::uint64_t>& positions() const { return positions_; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  // 1, 2: where addresses are in memory; 3, 4: where small numbers are; 5-8: small numbers; 9-11: anything; 12: no address; 13: 0; then places of code.
  std::uint64_t value_of(std::uint64_t number) {
    if (number <= 4) return data_address + (number <= 2 ? 4096 : 1024) + 8 * below(64);
    if (number <= 8) return below(5);
    if (number == 12) return nowhere;
    if (number == 13) return 0;
    constexpr std::uint64_t some[] = {0x3ff8000000000000, 0xc000000000000000, 0x7ff8000000000000, 1, ~std::uint64_t{0}};
    return below(2) == 0 ? some[below(5)] : random_();
  }
  std::uint64_t an_address() { return below(12) == 0 ? 12 : (small_ ? 3 : 1) + below(2); }
  std::uint64_t a_number() { return below(12) == 0 ? 12 + below(2) : below(3) == 0 ? 9 + below(3) : 5 + below(4); }
  // Makes what comes after it an address, more often than not.
  std::uint64_t a_source(unsigned which) { return !small_ && which == 0 && below(3) != 0 ? an_address() : a_number(); }

  void write(const std::vector<Part>& parts) {
    program_ = code();
    positions_.clear();
    const std::uint64_t loop = program_.here();
    program_.add("call", {window, function_}).add("addi", {90, 90, 1}).add("jump", {loop});
    callee_ = program_.here();
    program_.add("addi", {1, 1, 1}).add("ret");

    function_ = program_.here();
    // What uses the accumulator next needs a number there, and not an address.
    const auto number_next = [&parts](std::size_t n) {
      while (n < parts.size() && parts[n].variant == 0) ++n;
      if (n == parts.size()) return false;
      const Shape shape = sources_of(parts[n].name).shape;
      return parts[n].variant >= 2 || shape == Shape::tests || shape == Shape::tests_immediate || !parts[n].callee_begins.empty();
    };
    // Where a value is written that is in the accumulator from there on: a call may need it as its callee's first register.
    const auto result = [&parts](std::size_t n, std::uint64_t other) {
      while (n < parts.size() && parts[n].callee_begins.empty() && !comet::isa::writes_register(kinds_of(parts[n])[0])) ++n;
      return n < parts.size() && !parts[n].callee_begins.empty() && parts[n].variant == 1 ? callee_window + 1 : other;
    };
    std::uint64_t known = result(0, 16); // the accumulator's register
    small_ = number_next(0);
    // Such an immediate is in no sequence.
    program_.add("andi", {known, a_source(0), 0x1ffffffffff});
    std::uint64_t written = 17;
    for (std::size_t at = 0; at < parts.size(); ++at) {
      const Part& part = parts[at];
      small_ = number_next(at + 1);
      positions_.push_back(program_.here());
      const std::string kinds = kinds_of(part);
      const Sources sources = sources_of(part.name);
      const bool tests = sources.shape == Shape::tests || sources.shape == Shape::tests_immediate;
      fields operands;
      for (unsigned n = 0; n < kinds.size(); ++n) {
        switch (kinds[n]) {
          case 'd': case 'x': operands.push_back(result(at + 1, written++)); break;
          case 's': {
            const unsigned which = n - sources.first; // wraps around for one that never is the accumulator
            const bool address = n == 0 || (n == 1 && (sources.shape == Shape::loads || sources.shape == Shape::loads_indexed));
            if (which < sources.count && (part.variant >> which & 1) != 0) operands.push_back(known);
            else if (part.name == "jumpr") operands.push_back(14);
            else if (part.name == "callr" || part.name == "tailr") operands.push_back(15);
            else operands.push_back(tests ? a_number() : address ? an_address() : a_source(which));
            break;
          }
          case 'w': operands.push_back(callee_window); break;
          case 'p':
            if (part.name == "jtab") operands.push_back(code_address + table_offset);
            else operands.push_back(part.name == "call" || part.name == "tail" ? callee_ : end_);
            break;
          case 't': operands.push_back(8 + below(2)); break;
          case 'u': operands.push_back(part.name == "jtab" ? table_entries : small_ || below(3) == 0 ? below(5) : data_address + 4096); break;
          // The offset may be where memory begins, and its register a distance there, as compilers have it.
          case 'o': operands.push_back((below(3) == 0 ? data_address + 1024 : 0) + below(5)); break;
          default: operands.push_back(below(5)); break;
        }
      }
      if (!part.callee_begins.empty()) operands[1] = early_callees_[part.callee_begins].first;
      program_.add(part.name, operands);
      if (kinds[0] == 'd' || kinds[0] == 'x') known = operands[0];
    }
    end_ = program_.here();
    program_.add("nop").add("addi", {40, 40, 1}).add("ret");
    for (auto& [branch, place] : early_callees_) {
      place.first = program_.here();
      program_.add(branch, {1, 2, place.second}).add("addi", {1, 1, 1});
      place.second = program_.here();
      program_.add("ret");
    }

    data_.resize(8192);
    for (std::size_t n = 0; n < data_.size(); n += 8) {
      const std::uint64_t word = n < 4096 ? below(4) : data_address + 4096 + 8 * below(64);
      for (unsigned i = 0; i < 8; ++i) data_[n + i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
  }

  std::mt19937_64& random_;
  code program_;
  std::vector<std::uint64_t> positions_; // of the parts
  std::uint64_t function_ = code_address, callee_ = code_address, end_ = code_address;
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> early_callees_; // where each begins and ends
  std::vector<std::uint64_t> values_;
  std::uint64_t argument_ = 0;
  bool small_ = false; // whether what is made next is to be a small number
  bytes data_;
};

struct Moment {
  comet_stop stop = COMET_STOP_INIT;
  hash state{};
};

Moment now(const machine& vm, const comet_stop& stop) { return {stop, vm.state_hash()}; }

bool same(const Moment& a, const Moment& b) {
  return a.stop.reason == b.stop.reason && a.stop.pc == b.stop.pc && a.stop.trap == b.stop.trap &&
         a.stop.instruction_count == b.stop.instruction_count && a.state == b.state;
}

machine new_machine() {
  comet_config config = COMET_CONFIG_INIT;
  machine vm(&config);
  vm.map(code_address, COMET_PAGE_SIZE, all_rights);
  vm.map(data_address, COMET_PAGE_SIZE, read_write);
  return vm;
}

std::string text_of(const std::vector<Part>& parts) {
  std::string text;
  for (const Part& part : parts) text += part.name + (part.callee_begins.empty() ? "" : "_" + part.callee_begins) + "<" + std::to_string(part.variant) + "> ";
  return text;
}

// The state after each of the first instructions, as the reference loop has it, up to a stop or the end.
std::vector<Moment> told(machine& vm, std::uint64_t end) {
  std::vector<Moment> all{now(vm, COMET_STOP_INIT)};
  while (all.size() <= end) {
    const comet_stop stop = vm.run(1);
    // Those in between are not asked for.
    const bool asked = all.size() <= 2 * rounds || all.size() >= warm;
    all.push_back(asked || stop.reason != COMET_OUT_OF_FUEL ? now(vm, stop) : Moment{stop, {}});
    if (stop.reason != COMET_OUT_OF_FUEL) break;
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fused)

BOOST_AUTO_TEST_CASE(each_sequence_does_what_its_instructions_do_one_by_one) {
  std::mt19937_64 random(1);
  machine fast = new_machine(), reference = new_machine();
  std::size_t traps = 0;
  std::set<std::pair<std::uint64_t, comet::Handler>> handlers; // that were decoded, and where
  comet::CodeCache& code = fast.get()->space(0).code;
  code.block_observer = [&](std::span<const comet::CodeCache::BlockInstruction> block) {
    for (const auto& each : block) handlers.insert({code.address_of(each.slot), each.slot->handler});
  };
  const std::vector<std::vector<Part>> sequences = all_sequences();
  for (std::size_t which = 0; which < sequences.size(); which += step) {
    const std::vector<Part>& parts = sequences[which];
    std::vector<comet::PartKey> keys;
    for (const Part& part : parts) keys.push_back(key_of(part));
    keys.push_back(comet::no_part);
    unsigned went_through = 0;
    for (unsigned n = 0; n < trials && (n < 6 || went_through == 0); ++n) {
      const Trial trial(parts, random);
      const auto check = [&](const char* what, std::uint64_t fuel, const comet_stop& stop, const Moment& expected) {
        BOOST_REQUIRE_MESSAGE(same(now(fast, stop), expected),
                              text_of(parts) << "trial " << n << ": " << what << " after " << fuel << ": "
                                             << comet_reason_name(stop.reason) << " at " << stop.pc << " after "
                                             << stop.instruction_count << ", expected "
                                             << comet_reason_name(expected.stop.reason) << " at " << expected.stop.pc
                                             << " after " << expected.stop.instruction_count);
      };
      trial.prepare(reference);
      const std::vector<Moment> expected = told(reference, warm + 2 * rounds);
      const std::uint64_t end = expected.size() - 1;
      const bool trapped = expected.back().stop.reason != COMET_OUT_OF_FUEL;
      std::set<std::uint64_t> seen;
      for (const Moment& each : expected) seen.insert(each.stop.pc);

      handlers.clear();
      trial.prepare(fast);
      comet_stop stop = fast.run(trapped ? plenty : end);
      check("in one go", end, stop, expected.back());
#ifndef COMET_REFERENCE_ONLY
      BOOST_REQUIRE_MESSAGE(handlers.count({trial.positions().front(), comet::sequences.longest(keys.data())}) != 0,
                            text_of(parts) << "has no handler in its place");
#endif
      traps += trapped;
      const bool through = seen.count(trial.positions().back()) != 0;
      went_through += through;
      if (went_through > 2) continue;
      for (std::uint64_t fuel = 0; fuel <= rounds && fuel <= end; ++fuel) {
        trial.prepare(fast);
        if (fuel != 0) check("fuel ended", fuel, fast.run(fuel), expected[fuel]);
        if (trapped) check("begun", fuel, fast.run(), expected.back());
        else check("begun", fuel, fast.run(warm), expected[fuel + warm]);
      }
      if (!trapped) {
        trial.prepare(fast);
        for (std::uint64_t fuel = warm; fuel <= end; fuel += 7) {
          trial.prepare(fast);
          check("fuel ended in the loop", fuel, fast.run(fuel), expected[fuel]);
        }
      }
      for (const std::uint64_t position : trial.positions()) {
        trial.prepare(fast);
        SUPPORT_OK(comet_breakpoint_set(fast, 0, position, error));
        stop = fast.run(end);
        std::uint64_t count = 1;
        while (count < end && expected[count].stop.pc != position) ++count;
        if (count <= 2 * rounds && expected[count].stop.pc == position && expected[count].stop.reason == COMET_OUT_OF_FUEL) {
          Moment there = expected[count];
          there.stop.reason = COMET_BREAKPOINT;
          check("breakpoint", count, stop, there);
          check("behind the breakpoint", 1, fast.run(1), expected[count + 1]);
        }
        SUPPORT_OK(comet_breakpoint_clear(fast, 0, position, error));
      }
    }
    BOOST_CHECK_MESSAGE(went_through != 0, text_of(parts) << "was never gone through");
  }
  // Many sequences cannot trap; so many trials did, in the others, that the above was about traps, too.
  BOOST_CHECK_GE(traps, sequences.size() / step / 2);
}

BOOST_AUTO_TEST_CASE(a_sequence_that_is_interrupted_is_at_one_of_its_instructions) {
  std::mt19937_64 random(2);
  machine fast = new_machine(), other = new_machine();
  const std::vector<std::vector<Part>> sequences = all_sequences();
  for (std::size_t n = 0; n < sequences.size(); n += 16 * step) {
    const Trial trial(sequences[n], random);
    trial.prepare(fast);
    std::thread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      comet_interrupt(fast);
    });
    const comet_stop stop = fast.run();
    later.join();
    if (stop.reason != COMET_INTERRUPTED) { // a trap was first
      BOOST_CHECK_EQUAL(fast.run(1).reason, COMET_INTERRUPTED);
      continue;
    }
    trial.prepare(other);
    Moment expected = now(other, other.run(stop.instruction_count));
    expected.stop.reason = COMET_INTERRUPTED;
    BOOST_CHECK_MESSAGE(same(now(fast, stop), expected), text_of(sequences[n]) << "was interrupted at another state");
  }
}

BOOST_AUTO_TEST_SUITE_END()
