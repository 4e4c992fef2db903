// Random programs, executed by four threads of one machine at the same time: they write over code that others execute,
// trap in the middle of what others do, and are stopped anywhere. Nothing that they compute is sure. What is: that runs end
// for a reason there is, that counts and fuel come out even, and that the machine goes on in turns, all the same twice, from
// wherever it was stopped.
//
// An input stands for a program and for where and how far the threads run; not for how they race.
#include <array>
#include <memory>
#include <string>

#include "random_program.h"
#include "target.h"

namespace fuzz {
namespace {

constexpr comet_thread threads = 4;
constexpr unsigned rounds = 20;
constexpr std::uint64_t most_fuel = 20000;

struct machine_deleter {
  void operator()(comet_machine* machine) const { comet_machine_free(machine); }
};
using machine_pointer = std::unique_ptr<comet_machine, machine_deleter>;

std::uint64_t all_instructions, all_stops;

void done(comet_status status, const comet_error& error) {
  if (status != COMET_OK) throw std::runtime_error(error.message);
}

machine_pointer new_machine() {
  comet_config config = COMET_CONFIG_INIT;
  config.register_limit = register_limit;
  config.call_depth_limit = call_depth_limit;
  comet_machine* machine = nullptr;
  comet_error error = COMET_ERROR_INIT;
  done(comet_machine_new(&config, &machine, &error), error);
  done(comet_set_host_threads(machine, threads, &error), error);
  return machine_pointer(machine);
}

std::uint64_t instruction_count(const comet_machine* machine) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet_schedule_get(machine, &schedule, nullptr);
  return schedule.instruction_count;
}

std::array<std::uint8_t, 16> hash_of(const comet_machine* machine) {
  std::array<std::uint8_t, 16> hash{};
  comet_error error = COMET_ERROR_INIT;
  done(comet_state_hash(machine, hash.data(), &error), error);
  return hash;
}

comet_stop run(comet_machine* machine, std::uint64_t fuel) {
  comet_stop stop = COMET_STOP_INIT;
  comet_error error = COMET_ERROR_INIT;
  const std::uint64_t before = instruction_count(machine);
  done(comet_run(machine, COMET_EVERY_THREAD, fuel, &stop, &error), error);
  require(stop.executed == instruction_count(machine) - before, "instructions are counted once");
  require(stop.executed <= fuel, "no more instructions are executed than there is fuel");
  require(stop.reason != COMET_OUT_OF_FUEL || stop.executed == fuel, "who is out of fuel has used all of it");
  require(stop.reason == COMET_OUT_OF_FUEL || stop.reason == COMET_TRAP || stop.reason == COMET_HALTED, "a reason that there is");
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  done(comet_thread_get(machine, stop.thread, &info, &error), error);
  require(info.pc == stop.pc, "the thread that stopped stands where that was");
  return stop;
}

// What a fork, in turns, comes to.
std::array<std::uint8_t, 16> in_turns(const comet_machine* machine) {
  comet_machine* made = nullptr;
  comet_error error = COMET_ERROR_INIT;
  done(comet_machine_fork(machine, nullptr, &made, &error), error);
  const machine_pointer fork(made);
  run(made, most_fuel);
  return hash_of(made);
}

void race(random_source random) {
  const program what = random_program(random);
  const machine_pointer owner = new_machine();
  comet_machine* const machine = owner.get();
  prepare(machine, what);
  comet_error error = COMET_ERROR_INIT;
  const auto any_place = [&] {
    return random.one_in(5) ? what.address + random.below(what.code.size()) : what.starts[random.below(what.starts.size())];
  };
  for (comet_thread thread = 1; thread < threads; ++thread) {
    comet_thread made = 0;
    done(comet_thread_new(machine, 0, any_place(), &made, &error), error);
    for (const auto& [number, value] : what.registers) comet_set_register(machine, made, 0, number, value, nullptr);
  }
  for (unsigned round = 0; round < rounds; ++round) {
    const comet_stop stop = run(machine, 1 + random.below(most_fuel));
    all_instructions += stop.executed;
    ++all_stops;
    if (stop.reason != COMET_OUT_OF_FUEL) comet_set_pc(machine, stop.thread, any_place(), nullptr);
  }
  require(in_turns(machine) == in_turns(machine), "turns from there are the same twice");
}

}  // namespace

void report(std::ostream& out) { out << all_instructions << " instructions, " << all_stops << " stops\n"; }

}  // namespace fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t length) {
  fuzz::race(fuzz::random_source(input, length));
  return 0;
}
