// Runs random programs in several ways that must not differ: in one go, in slices of random fuel, one
// instruction at a time, on a machine without a fast window, under a breakpoint and a watchpoint, and observed. What
// is told of the observed run must be told of the one instruction by instruction as well. The state after each of the
// first instructions of every twentieth program is compared too.
//
// An input stands for a program and all else that chance decides. A program that stops is set going again elsewhere a
// few times.
#include <array>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "random_program.h"
#include "target.h"

namespace fuzz {
namespace {

constexpr std::uint64_t round_fuel = 20000;
constexpr unsigned rounds = 40;
constexpr std::uint64_t compared_each = 20;     // of so many programs, one is compared at every instruction,
constexpr std::uint64_t compared_fuel = 500;    // of so many

struct machine_deleter {
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using machine_pointer = std::unique_ptr<comet_machine, machine_deleter>;

machine_pointer new_machine(std::uint64_t window) {
  comet_config config = COMET_CONFIG_INIT;
  config.window = window;
  config.register_limit = register_limit;
  config.call_depth_limit = call_depth_limit;
  comet_machine* machine = nullptr;
  comet_error error = COMET_ERROR_INIT;
  if (comet_machine_new(&config, &machine, &error) != COMET_OK) throw std::runtime_error(error.message);
  return machine_pointer(machine);
}

enum class way { whole, sliced, single, watched, observed };
constexpr unsigned ways = 5;
constexpr const char* way_names[] = {"in one go", "in slices", "one at a time", "watched, without a window", "observed"};

// What is asked for, and a checksum of what was told.
struct questions {
  comet_filter filters[3];
  std::array<comet_event, 128> events{};
  std::uint64_t told = 0, checksum = 0;

  comet_status run(comet_machine* machine, std::uint64_t fuel, comet_stop* stop, comet_error* error) {
    comet_observation observation = COMET_OBSERVATION_INIT;
    observation.filters = filters;
    observation.filter_count = std::size(filters);
    observation.events = events.data();
    observation.capacity = events.size();
    observation.stop_at = events.size() / 2; // an instruction tells of 50 events at most
    const comet_status status = comet_observe(machine, 0, fuel, &observation, stop, error);
    told += observation.seen;
    for (std::size_t n = 0; n < observation.event_count; ++n) {
      const comet_event& event = events[n];
      for (const std::uint64_t part : {std::uint64_t{event.kind}, event.count, event.pc, event.place, event.length, event.before, event.after})
        checksum = (checksum ^ part) * 0x100000001b3;
    }
    return status;
  }
};

struct outcome {
  comet_stop stop = COMET_STOP_INIT;
  std::uint64_t executed = 0;
  std::array<std::uint8_t, 16> hash{};
  std::uint64_t told = 0, checksum = 0; // of an observed run
};

bool same(const outcome& a, const outcome& b) {
  return a.stop.reason == b.stop.reason && a.stop.trap == b.stop.trap && a.stop.pc == b.stop.pc &&
         (a.stop.reason != COMET_TRAP || a.stop.address == b.stop.address) && a.executed == b.executed &&
         a.stop.instruction_count == b.stop.instruction_count && a.hash == b.hash;
}

bool same_told(const outcome& a, const outcome& b) { return a.told == b.told && a.checksum == b.checksum; }

questions random_questions(random_source& random) {
  questions asked{};
  for (comet_filter& filter : asked.filters) {
    const std::uint64_t place = 1 + random.below(40);
    switch (random.below(6)) {
      case 0: {
        constexpr unsigned kinds[] = {COMET_EVENT_CALL, COMET_EVENT_RETURN, COMET_EVENT_CALL | COMET_EVENT_RETURN};
        filter = {kinds[random.below(3)], 0, UINT64_MAX};
        break;
      }
      case 1: filter = {COMET_EVENT_THREAD_REGISTER | COMET_EVENT_HOST_CALL, 0, UINT64_MAX}; break;
      case 2: {
        const std::uint64_t first = pages[random.below(std::size(pages))].address + random.below(60000);
        const unsigned kinds = COMET_EVENT_WRITE | (random.one_in(2) ? unsigned{COMET_EVENT_READ} : 0u);
        filter = {kinds, first, first + random.below(4000)};
        break;
      }
      default: filter = {COMET_EVENT_REGISTER, place, place + (random.one_in(3) ? random.below(20) : 0)};
    }
  }
  return asked;
}

outcome run(comet_machine* machine, way how, random_source& random, questions asked) {
  outcome result;
  comet_error error = COMET_ERROR_INIT;
  for (;;) {
    const std::uint64_t left = round_fuel - result.executed;
    std::uint64_t fuel = left;
    if (how == way::single) fuel = 1;
    // Little fuel is used up by the reference loop; more by the fast loop, for the most part.
    const std::uint64_t slice = random.one_in(2) ? 40 : 400;
    if (how == way::sliced) fuel = 1 + random.below(left < slice ? left : slice);
    const bool observed = how == way::observed || how == way::single;
    if ((observed ? asked.run(machine, fuel, &result.stop, &error) : comet_run(machine, 0, fuel, &result.stop, &error)) != COMET_OK)
      throw std::runtime_error(error.message);
    if (result.stop.executed > fuel)
      throw std::runtime_error("more instructions were executed than there was fuel");
    result.executed += result.stop.executed;
    const bool paused = result.stop.reason == COMET_OUT_OF_FUEL || result.stop.reason == COMET_BREAKPOINT ||
                        result.stop.reason == COMET_WATCHPOINT || result.stop.reason == COMET_OBSERVED;
    if (!paused) break;
    if (result.executed >= round_fuel) {
      // A watchpoint may have been touched by the last instruction: the fuel is gone all the same.
      result.stop.reason = COMET_OUT_OF_FUEL;
      break;
    }
    if (result.stop.reason == COMET_OUT_OF_FUEL && result.stop.executed != fuel)
      throw std::runtime_error("fuel was left when the machine said it had none");
  }
  if (comet_state_hash(machine, result.hash.data(), &error) != COMET_OK)
    throw std::runtime_error(error.message);
  result.told = asked.told;
  result.checksum = asked.checksum;
  return result;
}

std::string describe(const outcome& what) {
  std::string text = std::string(comet_reason_name(what.stop.reason)) + ", " +
                     comet_trap_name(what.stop.trap) + ", pc " + std::to_string(what.stop.pc) + ", address " +
                     std::to_string(what.stop.address) + ", " + std::to_string(what.executed) +
                     " executed, " + std::to_string(what.told) + " events, hash ";
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : what.hash) text += {digits[byte >> 4], digits[byte & 15]};
  return text;
}

// A machine's state now, which it goes back to.
class way_back {
 public:
  explicit way_back(comet_machine* machine) : machine_(machine) {
    if (comet_snapshot_take(machine, &begin_, &error_) != COMET_OK) throw std::runtime_error(error_.message);
  }
  ~way_back() { comet_snapshot_free(machine_, begin_); }
  way_back(const way_back&) = delete;
  way_back& operator=(const way_back&) = delete;
  void go() {
    if (comet_snapshot_restore(machine_, begin_, &error_) != COMET_OK) throw std::runtime_error(error_.message);
  }

 private:
  comet_machine* machine_;
  comet_snapshot* begin_ = nullptr;
  comet_error error_ = COMET_ERROR_INIT;
};

outcome run_for(comet_machine* machine, std::uint64_t fuel) {
  outcome result;
  comet_error error = COMET_ERROR_INIT;
  if (comet_run(machine, 0, fuel, &result.stop, &error) != COMET_OK ||
      comet_state_hash(machine, result.hash.data(), &error) != COMET_OK)
    throw std::runtime_error(error.message);
  return result;
}

// Whether a program is after each instruction, by the reference loop, where the fast one comes to with so much fuel.
// Both machines are at its beginning, before and afterwards.
bool same_at_every_instruction(comet_machine* fast, comet_machine* reference) {
  way_back fast_begin(fast), reference_begin(reference);
  bool equal = true;
  for (std::uint64_t fuel = 1; equal && fuel <= compared_fuel; ++fuel) {
    fast_begin.go();
    outcome expected = run_for(reference, 1), found = run_for(fast, fuel);
    expected.executed = found.executed = 0; // of this run alone
    equal = same(expected, found);
    if (!equal)
      std::cerr << "after instruction " << fuel << " the state is another\n  one at a time: "
                << describe(expected) << "\n  in one go: " << describe(found) << "\n";
    if (expected.stop.reason != COMET_OUT_OF_FUEL) break;
  }
  fast_begin.go();
  reference_begin.go();
  return equal;
}

void list(const comet_machine* machine, const program& what) {
  std::size_t at = 0;
  while (at < what.code.size()) {
    char text[200];
    const std::size_t length =
        comet_disassemble(comet_machine_isa(machine), what.code.data() + at, what.code.size() - at, what.address + at, text, sizeof text);
    std::cerr << "    " << std::hex << what.address + at << std::dec << "  " << text << "\n";
    at += length;
  }
}

class lockstep {
 public:
  lockstep() {
    for (machine_pointer& machine : machines_) machine = new_machine(std::uint64_t{1} << 33);
    machines_[3] = new_machine(0);
  }

  // Throws broken_promise unless all ways agree, with what differs and the program on the standard error stream.
  void run_program(random_source random) {
    const program what = random_program(random);
    for (const machine_pointer& machine : machines_) prepare(machine.get(), what);
    if (random.one_in(compared_each) &&
        !same_at_every_instruction(machines_[0].get(), machines_[static_cast<unsigned>(way::single)].get())) {
      list(machines_[0].get(), what);
      throw broken_promise("the state is another after an instruction");
    }
    watch(what, random);
    // Counting changes nothing else.
    for (std::uint64_t& opcode : counted_) {
      comet_treat(machines_[0].get(), opcode, COMET_ORDINARY, nullptr);
      opcode = random.one_in(3) ? 1024 + random.below(8) : random.below(128);
      comet_treat(machines_[0].get(), opcode, COMET_COUNTED, nullptr);
    }
    for (unsigned round = 0; round < rounds; ++round) {
      outcome outcomes[ways];
      const questions asked = random_questions(random);
      for (unsigned n = 0; n < ways; ++n) outcomes[n] = run(machines_[n].get(), static_cast<way>(n), random, asked);
      instructions_ += outcomes[0].executed;
      ++stops_[outcomes[0].stop.reason == COMET_TRAP ? outcomes[0].stop.trap : 0];
      told_ += outcomes[ways - 1].told;
      for (unsigned n = 1; n < ways; ++n)
        if (!same(outcomes[0], outcomes[n]) ||
            (n + 1 == ways && !same_told(outcomes[static_cast<unsigned>(way::single)], outcomes[n]))) {
          std::cerr << "in round " << round << "\n";
          for (unsigned each = 0; each < ways; ++each)
            std::cerr << "  " << way_names[each] << ": " << describe(outcomes[each]) << "\n";
          for (const definition& each : what.definitions) std::cerr << "  defined: " << each.name << " " << each.operands << "\n";
          list(machines_[0].get(), what);
          throw broken_promise("the program ran differently");
        }
      const std::uint64_t next = random.one_in(5) ? what.address + random.below(what.code.size())
                                                  : what.starts[random.below(what.starts.size())];
      for (const machine_pointer& machine : machines_) comet_set_pc(machine.get(), 0, next, nullptr);
    }
  }

  std::uint64_t instructions() const { return instructions_; }
  std::uint64_t told() const { return told_; }
  void report_stops(std::ostream& out) const {
    for (std::size_t n = 0; n < stops_.size(); ++n)
      out << "  " << stops_[n] << " "
                << (n == 0 ? "without a trap" : comet_trap_name(static_cast<comet_trap>(n))) << "\n";
  }

 private:
  void watch(const program& what, random_source& random) {
    comet_machine* watched = machines_[static_cast<unsigned>(way::watched)].get();
    comet_breakpoint_set(watched, 0, what.starts[random.below(what.starts.size())], nullptr);
    std::uint32_t id = 0;
    comet_watchpoint_set(watched, 0, pages[random.below(std::size(pages))].address + random.below(60000),
                         1 + random.below(4000), COMET_READ | COMET_WRITE, &id, nullptr);
  }

  machine_pointer machines_[ways];
  std::uint64_t counted_[2] = {};
  std::uint64_t instructions_ = 0, told_ = 0;
  std::array<std::uint64_t, COMET_TRAP_USER + 1> stops_{};
};

lockstep& the_test() {
  static lockstep made;
  return made;
}

}  // namespace

void report(std::ostream& out) {
  out << the_test().instructions() << " instructions, " << the_test().told() << " events; the programs stopped\n";
  the_test().report_stops(out);
}

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  fuzz::the_test().run_program(fuzz::random_source(input, length));
  return 0;
}
