// Programs, runs, and what makes runs stop.
#include "call.h"

namespace fuzz {

// A program that makes one host call after another.
program api_calls::calling_program() {
  program what;
  what.address = pages[0].address;
  comet_code* code = nullptr;
  comet_label begin = 0;
  if (comet_code_new(nullptr, what.address, &code, nullptr) != COMET_OK ||
      comet_code_label(code, &begin, nullptr) != COMET_OK)
    throw broken_promise("no code can be written");
  comet_code_place(code, begin, nullptr);
  for (std::uint64_t n = 1 + random_.below(12); n > 0; --n) {
    for (unsigned argument = 11; argument < 14; ++argument) {
      const comet_operand set[] = {COMET_R(argument),
                                   COMET_N(random_.one_in(3) ? address() : random_.below(8))};
      comet_code_emit(code, "imm", set, 2, nullptr);
    }
    const comet_operand call[] = {COMET_R(10), COMET_N(random_.below(8))};
    comet_code_emit(code, "hcall", call, 2, nullptr);
  }
  const comet_operand back[] = {COMET_L(begin)};
  comet_code_emit(code, "jump", back, 1, nullptr);
  const std::uint8_t* bytes = nullptr;
  std::size_t length = 0;
  const comet_status status = comet_code_finish(code, &bytes, &length, nullptr);
  if (status == COMET_OK) what.code.assign(bytes, bytes + length);
  comet_code_free(code);
  require(status == COMET_OK, "comet_code_finish", "code of right instructions is finished");
  return what;
}

// A program, and host calls for it: as an embedder would.
void api_calls::load_program() {
  comet_machine* const on = any_made();
  const program what = random_.one_in(2) ? calling_program() : random_program();
  for (const page& each : pages) CALL_ON(comet_map, on, 0, each.address, COMET_PAGE_SIZE, each.protection);
  CALL_ON(comet_write, on, 0, what.address, what.code.data(), what.code.size());
  grants();
  for (unsigned n = 0; n < 6; ++n) {
    const char* const name = host_name();
    std::uint32_t index = 0;
    CALL_ON(comet_host_import, on, name, at(index));
  }
  for (const definition& each : what.definitions) {
    const comet_definition given = each.given();
    CALL_ON(comet_machine_define, on, &given);
  }
  const comet_thread of = random_.one_in(4) ? thread() : 0;
  CALL_ON(comet_thread_restart, on, of, what.address);
  for (const auto& given : what.registers) CALL_ON(comet_set_register, on, of, 0, given.first, given.second);
}

void api_calls::look_at_stop(const comet_stop& stop, std::uint64_t fuel) {
  const char* const name = "a run";
  for (const std::uint64_t part :
       {std::uint64_t{stop.reason}, std::uint64_t{stop.trap}, stop.pc, stop.address, stop.instruction_count,
        stop.executed, stop.fuel, std::uint64_t{stop.thread}})
    note(part);
  require(stop.reason >= COMET_HALTED && stop.reason <= COMET_LIMIT, name,
          "the reason is one of comet_reason");
  require(stop.trap >= COMET_TRAP_NONE && stop.trap <= COMET_TRAP_USER, name,
          "the trap is one of comet_trap");
  require(stop.executed <= fuel && stop.fuel <= fuel, name, "no more is executed than there is fuel");
  require((stop.reason == COMET_TRAP) == (stop.message[0] != 0), name, "a trap has a message");
  instructions_ += stop.executed;
}

void api_calls::run() {
  comet_machine* const on = any_made();
  const comet_thread of = random_.one_in(3) ? COMET_EVERY_THREAD : random_.one_in(3) ? thread() : 0;
  const std::uint64_t fuel = random_.one_in(4) ? random_.below(20) : random_.below(most_fuel);
  comet_stop stop = COMET_STOP_INIT;
  if (depth_ == 0) polls_left_ = most_polls;
  if (CALL(comet_run, on, of, fuel, at(stop)) == COMET_OK) look_at_stop(stop, fuel);
}

void api_calls::observe() {
  comet_machine* const on = any_made();
  if (profiles_.size() < 2) {
    comet_profile* made = nullptr;
    if (CALL(comet_profile_new, at(made)) == COMET_OK) profiles_.push_back(made);
  }
  const comet_filter filters[] = {{static_cast<unsigned>(random_.below(512)), address(), awkward()},
                                  {COMET_EVENT_REGISTER, 0, random_.below(20)}};
  std::vector<comet_event> told(random_.below(20));
  std::vector<std::uint64_t> counts(random_.below(1000));
  comet_observation observation = COMET_OBSERVATION_INIT;
  observation.size = size(sizeof observation);
  observation.filters = filters;
  observation.filter_count = random_.below(3);
  observation.events = told.data();
  observation.capacity = told.size();
  observation.stop_at = random_.one_in(2) ? 0 : random_.below(200);
  observation.counts = counts.data();
  observation.counts_first = pages_address();
  observation.counts_length = counts.size();
  observation.profile = any_of(profiles_);
  const std::uint64_t fuel = random_.below(most_fuel);
  const comet_thread of = random_.one_in(3) ? COMET_EVERY_THREAD : 0;
  comet_stop stop = COMET_STOP_INIT;
  if (depth_ == 0) polls_left_ = most_polls;
  if (CALL(comet_observe, on, of, fuel, at(observation), &stop) == COMET_OK) look_at_stop(stop, fuel);
  comet_profile* const profile = any_of(profiles_);
  comet_profile_row row = COMET_PROFILE_ROW_INIT;
  const std::uint32_t table = static_cast<std::uint32_t>(random_.below(5));
  const std::size_t n = random_.one_in(8) ? awkward() : random_.below(30);
  CALL(comet_profile_read, profile, table, n, at(row));
  note(row.count);
}

void api_calls::stops() {
  comet_machine* const on = any_made();
  const comet_space in = space();
  const std::uint64_t where = address(), long_ = length(),
                      opcode = random_.one_in(8) ? awkward() : random_.below(128);
  const int access = protection();
  std::uint32_t id = static_cast<std::uint32_t>(random_.below(5));
  switch (random_.below(6)) {
    case 0: CALL_ON(comet_breakpoint_set, on, in, where); break;
    case 1: CALL_ON(comet_breakpoint_clear, on, in, where); break;
    case 2: CALL_ON(comet_watchpoint_set, on, in, where, long_, access, at(id)); break;
    case 3: CALL_ON(comet_watchpoint_clear, on, id); break;
    case 4: comet_catch_traps(on, static_cast<std::uint32_t>(random_.word())); break;
    default: {
      const std::uint32_t treatment = static_cast<std::uint32_t>(random_.below(5));
      CALL_ON(comet_treat, on, opcode, treatment);
      comet_treatment treated = COMET_ORDINARY;
      std::uint64_t executed = 0;
      CALL_ON(comet_treated, on, opcode, at(treated), at(executed));
      note(executed);
    }
  }
}

}  // namespace fuzz
