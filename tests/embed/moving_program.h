// A program with everything under way at once, and how an embedder serves it: workers that ask the host, trap and take the
// trap, waits with a time-out, a timer, events that are posted, random numbers, and writes all over its pages.
//
// What the embedder does next depends on the machine's state alone, so that the run is the same wherever it goes on.
#ifndef COMET_TESTS_EMBED_MOVING_PROGRAM_H
#define COMET_TESTS_EMBED_MOVING_PROGRAM_H

#include <comet.hpp>

#include <algorithm>

namespace moving {

constexpr uint64_t origin = 0x10000, data = 0x100000, data_length = 64 * COMET_PAGE_SIZE;
constexpr uint64_t total = data, door = data + 8, told = data + 16, bell = data + 24; // words of their own; what is mixed lies behind them
constexpr uint64_t hour = 3'600'000'000'000, moment = 20'000'000;
constexpr int64_t phases = 5, laps = 150;
constexpr uint64_t between_events = 500; // instructions
constexpr comet_thread listener = 1;

class program {
 public:
  comet::image image() {
    write_main();
    write_worker();
    write_waiter();
    write_listener();
    comet::image made;
    made.section(".text", origin, code_.finish(), COMET_READ | COMET_EXECUTE);
    made.section(".bss", data, {}, COMET_READ | COMET_WRITE, data_length);
    for (const char* name : names) made.import(name);
    made.entry(origin);
    return made;
  }

 private:
  static constexpr const char* names[] = {"ask",    "random", "spawn", "join", "yield",
                                          "wait64", "notify", "on",    "pause", "timer"};

  void call(const char* name) {
    int64_t index = 0;
    while (std::string(names[index]) != name) ++index;
    code_.emit("hcall", {comet::r(10), comet::n(index)});
  }
  void call(const char* name, std::initializer_list<comet::operand> arguments) {
    uint64_t number = 11;
    for (const comet::operand& argument : arguments) code_.emit("imm", {comet::r(number++), argument});
    call(name);
  }
  static comet::operand n(uint64_t number) { return comet::n(static_cast<int64_t>(number)); }

  // Phase by phase: lets them work, joins them, and waits for a timer when nobody else can run.
  void write_main() {
    using comet::r, comet::to;
    call("spawn", {to(listener_), n(0)});
    call("on", {n(COMET_ON_TIMER), n(2), to(rung_), n(7)});
    call("timer", {n(9), n(hour), n(0)});
    code_.emit("imm", {r(20), n(phases)});
    const comet_label phase = code_.here();
    code_.emit("imm", {r(1), n(door)}).emit("st64", {r(1), r(0), n(0)});
    for (const comet_label function : {waiter_, worker_, worker_}) {
      call("spawn", {to(function), n(3)});
      code_.emit("mov", {r(21 + spawned_++ % 3), r(11)});
    }
    for (uint64_t thread = 21; thread < 24; ++thread) {
      code_.emit("mov", {r(11), r(thread)});
      call("join");
      code_.emit("add", {r(24), r(24), r(11)});
    }
    code_.emit("imm", {r(1), n(bell)}).emit("st64", {r(1), r(0), n(0)});
    call("timer", {n(2), n(moment), n(0)});
    call("wait64", {n(bell), n(0), n(hour)});
    code_.emit("addi", {r(20), r(20), n(~uint64_t{0})}).emit("bnei", {r(20), n(0), to(phase)});
    call("timer", {n(9), n(~uint64_t{0}), n(0)});
    code_.emit("imm", {r(1), n(1000)});
    const comet_label last = code_.here(); // some events more
    code_.emit("addi", {r(1), r(1), n(~uint64_t{0})}).emit("bnei", {r(1), n(0), to(last)}).emit("halt");
  }

  // Asks, mixes the answer with what the others left, writes it somewhere, divides by zero, lets another one go first.
  void write_worker() {
    using comet::r, comet::to;
    code_.place(worker_);
    call("on", {n(COMET_ON_TRAP), n(COMET_TRAP_DIVIDE), to(trapped_), n(0)});
    code_.emit("imm", {r(2), n(total)}).emit("imm", {r(3), n(laps)}).emit("imm", {r(6), n(data_length / 8 - 16)});
    const comet_label lap = code_.here();
    code_.emit("mov", {r(11), r(3)});
    call("ask");
    code_.emit("aadd64", {r(4), r(2), r(11)}).emit("imm", {r(5), n(6364136223846793005)}).emit("mul", {r(4), r(4), r(5)});
    code_.emit("rem_u", {r(7), r(4), r(6)}).emit("imm", {r(8), n(data + 128)}).emit("stx64", {r(8), r(7), r(4)});
    code_.emit("div_u", {r(9), r(4), r(0)}).emit("add", {r(1), r(1), r(4)});
    call("random", {n(data + 64), n(16)});
    call("yield");
    code_.emit("addi", {r(3), r(3), n(~uint64_t{0})}).emit("bnei", {r(3), n(0), to(lap)});
    code_.emit("imm", {r(5), n(door)}).emit("imm", {r(6), n(1)}).emit("st64", {r(5), r(6), n(0)});
    call("notify", {n(door), n(99)});
    code_.emit("ret");
    code_.place(trapped_).emit("imm", {r(1), n(2)}).emit("ret"); // goes on behind it
  }

  // Waits until a worker opens the door.
  void write_waiter() {
    using comet::r, comet::to;
    code_.place(waiter_).emit("imm", {r(2), n(door)});
    const comet_label again = code_.here();
    call("wait64", {n(door), n(0), n(hour)});
    code_.emit("ldu64", {r(3), r(2), n(0)}).emit("beqi", {r(3), n(0), to(again)}).emit("ret");
  }

  // Does nothing but take events; its handler asks as well.
  void write_listener() {
    using comet::r, comet::to;
    code_.place(listener_);
    call("on", {n(COMET_ON_POSTED), n(1), to(noted_), n(5)});
    const comet_label again = code_.here();
    call("pause");
    code_.emit("addi", {r(2), r(2), n(1)}).emit("jump", {to(again)});
    code_.place(noted_).emit("mov", {r(11), r(3)});
    call("ask");
    code_.emit("imm", {r(5), n(told)}).emit("aadd64", {r(6), r(5), r(11)}).emit("ret");
    code_.place(rung_).emit("imm", {r(11), n(1)});
    call("ask");
    code_.emit("imm", {r(5), n(bell)}).emit("st64", {r(5), r(11), n(0)});
    call("notify", {n(bell), n(1)});
    code_.emit("ret");
  }

  comet::code code_{origin};
  const comet_label worker_ = code_.label(), waiter_ = code_.label(), listener_ = code_.label(), noted_ = code_.label(),
                    rung_ = code_.label(), trapped_ = code_.label();
  unsigned spawned_ = 0;
};

inline comet::machine granted() {
  comet::machine made;
  made.grant("ask");
  for (const char* group : {"random", "clock"}) made.grant_standard(group);
  return made;
}

inline comet::machine fresh() {
  comet::machine made = granted();
  comet_set_random_seed(made.get(), 7);
  made.load(program().image());
  comet::detail::checked(comet_schedule_set, made.get(), uint64_t{23}, uint64_t{5});
  return made;
}

inline uint64_t count_of(const comet::machine& machine) {
  comet_schedule schedule = COMET_SCHEDULE_INIT;
  comet::detail::checked(comet_schedule_get, static_cast<const comet_machine*>(machine.get()), &schedule);
  return schedule.instruction_count;
}

inline std::vector<std::pair<comet_thread, comet_thread_info>> threads_of(const comet::machine& machine) {
  std::vector<std::pair<comet_thread, comet_thread_info>> found;
  comet_thread id = 0;
  while (comet_next_thread(machine.get(), id, &id, nullptr) == COMET_OK) {
    comet_thread_info info = COMET_THREAD_INFO_INIT;
    comet::detail::checked(comet_thread_get, static_cast<const comet_machine*>(machine.get()), id, &info);
    found.emplace_back(id++, info);
  }
  return found;
}

// Whose host calls wait.
inline std::vector<comet_thread> waiting(const comet::machine& machine) {
  std::vector<comet_thread> found;
  comet_thread id = 0;
  uint32_t index = 0;
  while (comet_host_waiting(machine.get(), id, &id, &index, nullptr) == COMET_OK) found.push_back(id++);
  return found;
}

inline bool in_a_handler(const comet::machine& machine) {
  const auto all = threads_of(machine);
  return std::any_of(all.begin(), all.end(), [](const auto& thread) { return thread.second.handlers != 0; });
}

// Sometimes, of the threads that can run, one more runs while a call waits; so two may wait at a time.
inline bool run_another(comet::machine& machine, comet_thread than) {
  for (const auto& [id, info] : threads_of(machine))
    if (id != than && info.standing == COMET_RUNNABLE) {
      machine.run(20, id);
      return true;
    }
  return false;
}

// Posts an event, which then comes before the next instruction, unless the listener is still at the last one.
inline void post(comet::machine& machine) {
  for (const auto& [id, info] : threads_of(machine))
    if (id == listener && info.handlers == 0 && info.standing == COMET_WAITS_FOR_EVENT) {
      comet_post_event(machine.get(), COMET_ON_POSTED, 1, count_of(machine));
      machine.run(1, COMET_EVERY_THREAD);
    }
}

// Goes on for at most so many instructions, or to the next thing that the embedder does. False: the program has ended.
inline bool step(comet::machine& machine, uint64_t fuel) {
  const uint64_t count = count_of(machine);
  const std::vector<comet_thread> calls = waiting(machine);
  if (!calls.empty()) {
    if (calls.size() == 1 && count % 3 == 0 && run_another(machine, calls[0])) return true;
    for (const comet_thread id : calls) machine.complete((machine.argument(0, id) + id) * 0x9e3779b97f4a7c15, id);
    return true;
  }
  const comet_stop stop = machine.run(std::min(fuel, between_events - count % between_events), COMET_EVERY_THREAD);
  if (stop.reason == COMET_HALTED) return false;
  if (stop.reason == COMET_OUT_OF_FUEL && stop.executed != 0 && count_of(machine) % between_events == 0) post(machine);
  if (stop.reason != COMET_HOST_CALL && stop.reason != COMET_OUT_OF_FUEL && stop.reason != COMET_INTERRUPTED)
    throw std::runtime_error(std::string(comet_reason_name(stop.reason)) + " " + stop.message);
  return true;
}

} // namespace moving

#endif
