#include "api_calls.h"

#include <algorithm>
#include <cstring>
#include <iostream>

#include "random_program.h"

namespace fuzz {
namespace {

constexpr std::uint64_t most_fuel = 3000;
constexpr unsigned most_polls =
    400;  // a run that waits for what never comes is stopped after so many milliseconds
constexpr std::size_t buffer_length = 4 * COMET_PAGE_SIZE;
constexpr std::uint64_t memory_limit = 32 * COMET_PAGE_SIZE;

// The host's memory that machines show: it stays and does not change.
const std::uint8_t* host_memory() {
  static const std::vector<std::uint8_t> bytes = [] {
    std::vector<std::uint8_t> made(2 * COMET_PAGE_SIZE);
    for (std::size_t n = 0; n < made.size(); ++n) made[n] = static_cast<std::uint8_t>(n * 7);
    return made;
  }();
  return bytes.data();
}

// Programs name them by their index in the import list, which they join at random. Nothing here tells the
// time, which would make two runs differ. The first ones come more often.
constexpr const char* names[] = {"call",  "quiet", "ask",   "random", "map",    "spawn",  "join",
                                 "leave", "self",  "yield", "wait64", "wait32", "notify", "on",
                                 "pause", "read",  "write", "poll",   "arg",    "exit"};
constexpr const char* groups[] = {"exit", "streams", "arguments", "random", "memory", "threads", "events"};

comet_image* program_image(const program& what) {
  comet_image* image = nullptr;
  comet_error error = COMET_ERROR_INIT;
  if (comet_image_new(&image, &error) != COMET_OK) throw broken_promise(error.message);
  comet_image_add_section(image, ".text", what.address, what.code.data(), what.code.size(), what.code.size(),
                          7, nullptr);
  comet_image_add_section(image, ".data", 0x20000, nullptr, 0, COMET_PAGE_SIZE, 3, nullptr);
  comet_image_add_symbol(image, "main", what.address, nullptr);
  comet_image_set_entry(image, what.address, nullptr);
  return image;
}

}  // namespace

api_calls::api_calls(std::uint64_t seed, bool traced)
    : random_(seed), traced_(traced), buffer_(buffer_length) {
  for (std::uint8_t& byte : buffer_) byte = static_cast<std::uint8_t>(random_.word());
}

api_calls::~api_calls() {
  try {
    end();
  } catch (const broken_promise&) {  // another was told of before
  }
}

void api_calls::take(unsigned steps) {
  make_machine();
  load_program();
  for (unsigned n = 0; n < steps; ++n) {
    step();
    if (!broken_.empty()) throw broken_promise(broken_);
  }
  for (const machine& each : machines_)
    if (each.made != nullptr) hash_of(each.made);
}

void api_calls::end() {
  for (machine& each : machines_) free_machine(each);
  while (!states_.empty()) drop_state(0);
  for (comet_image* image : images_) comet_image_free(image);
  for (comet_code* code : codes_) comet_code_free(code);
  for (comet_profile* profile : profiles_) comet_profile_free(profile);
  images_.clear();
  codes_.clear();
  profiles_.clear();
  require(granted_ == released_, "comet_host_grant_with",
          "data is released once when the last machine that has it is gone");
}

void api_calls::step() {
  switch (random_.below(34)) {
    case 0: return make_machine();
    case 1: return random_.one_in(3) ? free_machine(any()) : reset();
    case 2: return limits();
    case 3:
    case 4: return memory();
    case 5: return spaces();
    case 6: return transfer();
    case 7: return threads();
    case 8: return registers();
    case 9:
    case 10: return load_program();
    case 11: return observe();
    case 12: return stops();
    case 13:
    case 14: return snapshots();
    case 15:
    case 16: return timeline();
    case 17: return grants();
    case 18:
    case 19: return waiting_calls();
    case 20: return surroundings();
    case 21: return events();
    case 22: return save();
    case 23: return capture();
    case 24: return fork();
    case 25: return restore();
    case 26: return record();
    case 27: return images();
    case 28: return code();
    case 29: return instructions_of_own();
    case 30: return questions();
    default: return run();
  }
}

// ---- what each call is checked for ---------------------------------------------------------------------

void api_calls::require(bool kept, const char* name, const char* promise) {
  if (!kept) throw broken_promise(std::string(name) + ": " + promise);
}

api_calls::hash api_calls::hash_of(const comet_machine* machine) {
  hash result{};
  comet_error error = COMET_ERROR_INIT;
  if (comet_state_hash(machine, result.data(), &error) != COMET_OK)
    throw broken_promise(std::string("no hash: ") + error.message);
  for (const std::uint8_t byte : result) note(byte);
  return result;
}

void api_calls::require_hash(const comet_machine* machine, const hash& expected, const char* name) {
  if (depth_ == 0) require(hash_of(machine) == expected, name, "the state is the one that was kept");
}

// `on`: a machine that a call which fails leaves as it was, NULL where that is not promised.
template <class Call>
comet_status api_calls::call(const char* name, comet_machine* on, Call&& made) {
  ++calls_;
  if (traced_) std::cerr << std::string(2 * depth_, ' ') << name << "\n";
  comet_error error = COMET_ERROR_INIT;
  const bool whole = !random_.one_in(16);
  if (!whole) error.size = random_.below(sizeof error);
  comet_error* const given = random_.one_in(16) ? nullptr : &error;
  const bool compared = on != nullptr && depth_ == 0 && random_.one_in(4);
  const hash before = compared ? hash_of(on) : hash{};
  const comet_status status = made(given);
  if (traced_) std::cerr << std::string(2 * depth_, ' ') << "  " << status << " " << error.message << "\n";
  note(status);
  require(status >= COMET_OK && status <= COMET_ERROR_SYSTEM, name, "the status is one of comet_status");
  if (status == COMET_OK) return status;
  ++refused_;
  if (given != nullptr && whole) {
    require(error.status == status, name, "the error has the status");
    require(std::memchr(error.message, 0, sizeof error.message) != nullptr, name, "the message ends");
    require(error.message[0] != 0 && std::strchr(error.message, '\n') == nullptr, name,
            "the message is a line of text");
  }
  if (compared) require(hash_of(on) == before, name, "nothing is changed when it fails");
  return status;
}

// A call of comet.h, without its last argument. CALL_ON: of a machine, which is left as it was where it
// fails.
#define CALL(function, ...) \
  call(#function, nullptr, [&](comet_error* error) { return function(__VA_ARGS__, error); })
#define CALL_ON(function, machine, ...) \
  call(#function, machine,              \
       [&](comet_error* error) { return function(machine __VA_OPT__(, ) __VA_ARGS__, error); })

// ---- arguments -----------------------------------------------------------------------------------------

std::uint64_t api_calls::awkward() {
  return random_.one_of({0,
                         1,
                         7,
                         8,
                         0xffff,
                         0x10000,
                         0x10001,
                         0x7fffffff,
                         0x80000000,
                         UINT32_MAX - 1,
                         UINT32_MAX,
                         std::uint64_t{1} << 32,
                         std::uint64_t{1} << 46,
                         std::uint64_t{1} << 48,
                         INT64_MAX,
                         std::uint64_t{1} << 63,
                         UINT64_MAX - 0x1ffff,
                         UINT64_MAX - 0xffff,
                         UINT64_MAX - 7,
                         UINT64_MAX});
}

std::uint64_t api_calls::pages_address() {
  if (random_.one_in(8)) return awkward() & ~std::uint64_t{COMET_PAGE_SIZE - 1};
  return random_.one_in(2) ? pages[random_.below(std::size(pages))].address
                           : random_.below(8) * COMET_PAGE_SIZE;
}

std::uint64_t api_calls::address() {
  switch (random_.below(8)) {
    case 0: return awkward();
    case 1: return pages_address() + COMET_PAGE_SIZE - random_.below(16);
    case 2: return pages_address() - random_.below(16);
    case 3: return pages_address();
    default: return pages[random_.below(std::size(pages))].address + random_.below(COMET_PAGE_SIZE);
  }
}

std::uint64_t api_calls::length() {
  switch (random_.below(5)) {
    case 0: return awkward();
    case 1: return random_.below(4) * COMET_PAGE_SIZE;
    case 2: return random_.below(3 * COMET_PAGE_SIZE);
    default: return random_.below(200);
  }
}

int api_calls::protection() {
  return random_.one_in(20)  ? static_cast<int>(awkward())
         : random_.one_in(2) ? 7
                             : static_cast<int>(random_.below(8));
}

// Of a struct: mostly right, else that of an older library, or none at all.
std::size_t api_calls::size(std::size_t right) {
  return random_.one_in(12) ? random_.below(right + 1) : right;
}

const char* api_calls::host_name() {
  if (random_.one_in(20)) return random_.one_in(2) ? nullptr : random_.one_in(2) ? "" : "no name\n";
  return names[random_.below(random_.one_in(2) ? 3 : std::size(names))];
}

comet_machine* api_calls::any_made() {
  if (random_.one_in(80)) return nullptr;
  const std::size_t first = random_.below(machines_.size());
  for (std::size_t n = 0; n < machines_.size(); ++n)
    if (comet_machine* const made = machines_[(first + n) % machines_.size()].made) return made;
  return nullptr;
}

template <class Kind>
Kind* api_calls::any_of(const std::vector<Kind*>& list) {
  return list.empty() || random_.one_in(40) ? nullptr : list[random_.below(list.size())];
}

const comet_state* api_calls::any_state() {
  return states_.empty() ? nullptr : states_[random_.below(states_.size())].taken;
}

// ---- machines ------------------------------------------------------------------------------------------

void api_calls::make_machine() {
  machine& which = any();
  if (which.made != nullptr) return;
  comet_config config = COMET_CONFIG_INIT;
  config.window =
      random_.one_of({0, COMET_PAGE_SIZE, 1 << 20, std::uint64_t{1} << 32, std::uint64_t{1} << 33});
  config.memory_limit = memory_limit;
  config.register_limit = random_.one_in(10) ? random_.below(40) : 1 << 12;
  config.call_depth_limit = 1 + random_.below(200);
  config.thread_limit = 1 + random_.below(6);
  if (random_.one_in(8)) (random_.one_in(2) ? config.window : config.call_depth_limit) = UINT64_MAX;
  if (CALL(comet_machine_new, &config, &which.made) == COMET_OK) ready(which.made);
}

// Nothing that would make two runs differ.
void api_calls::ready(comet_machine* machine) {
  comet_set_random_seed(machine, random_.word());
  comet_set_log(machine, hear, this);
  comet_set_poll(machine, count_poll, this);
  for (unsigned stream = 0; stream < 3; ++stream)
    comet_set_stream(machine, stream, COMET_STREAM_NONE, nullptr);
  comet_host_grant(machine, "call", serve, this, nullptr);
  comet_host_grant(machine, "quiet", serve_quietly, nullptr, nullptr);
  comet_host_grant(machine, "ask", nullptr, nullptr, nullptr);
}

void api_calls::free_machine(machine& which) {
  if (traced_ && which.made != nullptr) std::cerr << std::string(2 * depth_, ' ') << "comet_machine_free\n";
  comet_machine* const gone = which.made;
  which = {};
  comet_machine_free(gone);
}

void api_calls::reset() {
  machine& which = any();
  if (CALL_ON(comet_machine_reset, which.made) != COMET_OK) return;
  which.snapshots.clear();
  comet_set_random_seed(which.made, random_.word());
}

void api_calls::limits() {
  comet_machine* const on = any_made();
  comet_limits limits = COMET_LIMITS_INIT;
  limits.size = size(sizeof limits);
  CALL_ON(comet_get_limits, on, at(limits));
  limits = COMET_LIMITS_INIT;
  limits.size = random_.one_in(12) ? 0 : sizeof limits;
  limits.memory = random_.one_in(4) ? random_.below(memory_limit) : memory_limit;
  limits.registers = random_.one_in(8) ? UINT64_MAX : random_.below(1 << 13);
  limits.call_depth = random_.one_in(8) ? UINT64_MAX : random_.below(300);
  limits.output = random_.one_in(2) ? COMET_UNLIMITED : random_.below(100);
  limits.stop_for_memory = static_cast<int>(random_.below(2));
  CALL_ON(comet_set_limits, on, &limits);
}

// ---- memory --------------------------------------------------------------------------------------------

void api_calls::memory() {
  comet_machine* const on = any_made();
  const comet_space in = space();
  const std::uint64_t where = random_.one_in(2) ? pages_address() : address(), long_ = length();
  const int access = protection();
  switch (random_.below(6)) {
    case 0:
    case 1: CALL_ON(comet_map, on, in, where, long_, access); break;
    case 2: CALL_ON(comet_unmap, on, in, where, long_); break;
    case 3: CALL_ON(comet_protect, on, in, where, long_, access); break;
    case 4: {
      const std::uint64_t shared = random_.one_in(8) ? long_ : random_.below(4) * COMET_PAGE_SIZE;
      const comet_space with = space();
      const std::uint64_t there = pages_address();
      CALL_ON(comet_share, on, in, where, shared, with, there, access);
      break;
    }
    default: {
      const std::uint64_t shown = random_.below(3) * COMET_PAGE_SIZE;
      CALL_ON(comet_map_host, on, in, where, random_.one_in(30) ? nullptr : host_memory(), shown, access);
    }
  }
}

void api_calls::spaces() {
  comet_machine* const on = any_made();
  comet_space made = 0;
  if (random_.one_in(3)) {
    made = space();
    CALL_ON(comet_space_free, on, made);
  } else {
    CALL_ON(comet_space_new, on, at(made));
  }
  comet_page_info page = COMET_PAGE_INFO_INIT;
  page.size = size(sizeof page);
  const std::uint64_t where = address();
  CALL_ON(comet_page_get, on, made, where, at(page));
  comet_region region = COMET_REGION_INIT;
  std::uint64_t from = random_.one_in(2) ? 0 : where;
  for (unsigned n = 0; n < 40; ++n) {
    if (CALL_ON(comet_next_region, on, made, from, &region) != COMET_OK) break;
    note(region.address ^ region.length);
    require(region.address + region.length > from || region.address + region.length == 0, "comet_next_region",
            "it ends behind `from`");
    from = region.address + region.length;
    if (from == 0) break;
  }
}

void api_calls::transfer() {
  comet_machine* const on = any_made();
  const comet_space in = space();
  const std::uint64_t where = address();
  // More than the buffer has only where so much cannot be mapped.
  const std::uint64_t long_ = length();
  const std::uint64_t bytes =
      long_ > memory_limit + buffer_length ? long_ : std::min<std::uint64_t>(long_, buffer_length);
  if (random_.one_in(2))
    CALL_ON(comet_write, on, in, where, random_.one_in(60) ? nullptr : buffer_.data(), bytes);
  else
    CALL_ON(comet_read, on, in, where, at(buffer_[0]), bytes);
}

// ---- threads -------------------------------------------------------------------------------------------

void api_calls::threads() {
  comet_machine* const on = any_made();
  comet_thread which = thread();
  const comet_space in = space();
  const std::uint64_t pc = address();
  switch (random_.below(6)) {
    case 0: CALL_ON(comet_thread_new, on, in, pc, at(which)); break;
    case 1: CALL_ON(comet_thread_free, on, which); break;
    case 2: CALL_ON(comet_set_pc, on, which, pc); break;
    case 3: CALL_ON(comet_thread_restart, on, which, pc); break;
    case 4: CALL_ON(comet_next_thread, on, which, at(which)); break;
    default: {
      comet_schedule schedule = COMET_SCHEDULE_INIT;
      schedule.size = size(sizeof schedule);
      CALL_ON(comet_schedule_get, on, at(schedule));
      const std::uint64_t slice = random_.one_in(6) ? awkward() : 1 + random_.below(100),
                          seed = random_.below(3);
      CALL_ON(comet_schedule_set, on, slice, seed);
    }
  }
}

void api_calls::registers() {
  comet_machine* const on = any_made();
  const comet_thread of = thread();
  const std::uint64_t level = random_.one_in(3) ? awkward() : random_.below(3),
                      index = random_.one_in(6) ? awkward() : random_.below(40);
  const std::uint32_t number =
      static_cast<std::uint32_t>(random_.one_in(8) ? awkward() : random_.below(COMET_THREAD_REGISTERS));
  std::uint64_t value = random_.magnitude();
  CALL_ON(comet_set_register, on, of, level, index, value);
  CALL_ON(comet_get_register, on, of, level, index, at(value));
  note(value);
  CALL_ON(comet_set_thread_register, on, of, number, value);
  CALL_ON(comet_get_thread_register, on, of, number, at(value));
  comet_activation activation = COMET_ACTIVATION_INIT;
  activation.size = size(sizeof activation);
  CALL_ON(comet_get_activation, on, of, level, at(activation));
  comet_thread_info info = COMET_THREAD_INFO_INIT;
  info.size = size(sizeof info);
  CALL_ON(comet_thread_get, on, of, at(info));
}

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
  const program what = random_.one_in(2) ? calling_program() : random_program(random_);
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
  for (const auto& [number, value] : what.registers) CALL_ON(comet_set_register, on, of, 0, number, value);
}

// ---- running -------------------------------------------------------------------------------------------

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

// ---- going back ----------------------------------------------------------------------------------------

void api_calls::snapshots() {
  machine& which = any();
  std::vector<snapshot>& all = which.snapshots;
  if (all.empty() || (all.size() < 4 && random_.one_in(3))) {
    comet_snapshot* taken = nullptr;
    if (CALL_ON(comet_snapshot_take, which.made, at(taken)) == COMET_OK) {
      if (depth_ == 0)
        all.push_back({taken, hash_of(which.made)});
      else
        comet_snapshot_free(which.made, taken);
    }
    return;
  }
  const std::size_t n = random_.below(all.size());
  const snapshot chosen = all[n];
  const comet_space in = space();
  std::uint64_t where = address(), long_ = 0;
  switch (random_.below(5)) {
    case 0:
      comet_snapshot_free(which.made, chosen.taken);
      all.erase(all.begin() + static_cast<std::ptrdiff_t>(n));
      break;
    case 1:
      CALL_ON(comet_snapshot_difference, which.made, chosen.taken, in, where, at(where), at(long_));
      break;
    case 2: CALL_ON(comet_snapshot_written, which.made, chosen.taken, in, where, at(where), at(long_)); break;
    default: {
      comet_machine* const on =
          random_.one_in(20) ? any_made() : which.made;  // that of another machine is refused
      if (CALL_ON(comet_snapshot_restore, on, chosen.taken) == COMET_OK)
        require_hash(on, chosen.then, "comet_snapshot_restore");
    }
  }
  note(comet_snapshot_bytes(which.made) != 0);
}

void api_calls::timeline() {
  comet_machine* const on = any_made();
  std::uint32_t id = kept_logs_.empty() || random_.one_in(10) ? static_cast<std::uint32_t>(awkward())
                                                              : kept_logs_[random_.below(kept_logs_.size())];
  switch (random_.below(6)) {
    case 0: {
      const std::uint64_t bytes = random_.one_in(4) ? random_.below(2000) : 1 << 20;
      CALL_ON(comet_timeline_start, on, bytes);
      break;
    }
    case 1:
      if (random_.one_in(4)) comet_timeline_stop(on);
      break;
    case 2:
      if (CALL_ON(comet_timeline_keep, on, at(id)) == COMET_OK) kept_logs_.push_back(id);
      break;
    case 3: CALL_ON(comet_timeline_resume, on, id); break;
    case 4: CALL_ON(comet_timeline_drop, on, id); break;
    default: {
      comet_timeline_info info = COMET_TIMELINE_INFO_INIT;
      info.size = size(sizeof info);
      const comet_thread of = random_.one_in(2) ? COMET_EVERY_THREAD : thread();
      CALL_ON(comet_timeline_get, on, of, at(info));
      note(info.entries ^ info.end);
    }
  }
}

// ---- host calls ----------------------------------------------------------------------------------------

// One that does whatever an embedder may do meanwhile, with the same machine as well.
comet_status api_calls::serve(comet_call* call, void* data) {
  auto* const self = static_cast<api_calls*>(data);
  if (self->depth_ >= 2 || !self->broken_.empty()) return COMET_ERROR_STATE;
  ++self->depth_;
  comet_call_result(call, comet_call_argument(call, 0) + comet_call_argument(call, UINT32_MAX));
  std::uint8_t bytes[16];
  const std::uint64_t where = self->address(), long_ = self->random_.below(sizeof bytes + 1);
  if (comet_call_read(call, where, bytes, long_) == COMET_OK)
    comet_call_write(call, self->address(), bytes, long_);
  try {
    if (self->random_.one_in(2))
      for (std::uint64_t n = self->random_.below(4); n > 0; --n) self->step();
  } catch (const broken_promise& promise) {
    self->broken_ = promise.what();
  }
  --self->depth_;
  switch (self->random_.below(12)) {
    case 0: return comet_call_fail(call, "no");
    case 1: return COMET_ERROR_STATE;
    case 2: return static_cast<comet_status>(self->random_.below(8));
    default: return COMET_OK;
  }
}

comet_status api_calls::serve_quietly(comet_call* call, void*) {
  comet_call_result(call, comet_call_argument(call, 0) * 31 + comet_call_argument(call, 1));
  return COMET_OK;
}

void api_calls::release(void* data) { ++static_cast<api_calls*>(data)->released_; }

void api_calls::grants() {
  comet_machine* const on = any_made();
  const char* const name = host_name();
  const comet_host_function function = random_.one_in(4)   ? nullptr
                                       : random_.one_in(2) ? serve
                                                           : serve_quietly;
  switch (random_.below(7)) {
    case 0:
    case 1: CALL_ON(comet_host_grant, on, name, function, this); break;
    case 2: CALL_ON(comet_host_revoke, on, name); break;
    case 3: {
      constexpr const char* signatures[] = {"",       "u64",  "i32 f32", "bytes",       "buffer u32",
                                            "string", " u64", "u65",     "bytes  bytes"};
      comet_grant_options options = COMET_GRANT_OPTIONS_INIT;
      options.size = random_.one_in(12) ? 0 : sizeof options;
      options.signature = random_.one_in(3) ? nullptr : signatures[random_.below(std::size(signatures))];
      options.fuel = random_.one_in(8) ? awkward() : random_.below(20);
      options.quota = random_.one_in(3) ? COMET_UNLIMITED : random_.below(5);
      options.release = random_.one_in(2) ? release : nullptr;
      if (CALL_ON(comet_host_grant_with, on, name, function, this, &options) == COMET_OK &&
          options.release != nullptr)
        ++granted_;
      break;
    }
    case 4: {
      const std::uint64_t quota = random_.one_in(2) ? COMET_UNLIMITED : random_.below(5);
      CALL_ON(comet_host_set_quota, on, name, quota);
      comet_grant_info info = COMET_GRANT_INFO_INIT;
      info.size = size(sizeof info);
      CALL_ON(comet_host_granted, on, name, at(info));
      note(info.calls);
      break;
    }
    case 5: {
      const char* const group = random_.one_in(20) ? "nothing" : groups[random_.below(std::size(groups))];
      CALL_ON(comet_host_grant_standard, on, group);
      break;
    }
    default: {
      const char* const group = random_.one_in(20) ? nullptr : groups[random_.below(std::size(groups))];
      CALL_ON(comet_host_revoke_standard, on, group);
    }
  }
}

void api_calls::waiting_calls() {
  comet_machine* const on = any_made();
  comet_thread which = thread();
  std::uint32_t index = 0;
  if (!random_.one_in(8)) CALL_ON(comet_host_waiting, on, 0, &which, at(index));
  std::uint64_t value = random_.magnitude();
  const std::uint64_t where = address(), long_ = random_.below(300);
  const unsigned n = static_cast<unsigned>(random_.one_in(8) ? awkward() : random_.below(4));
  switch (random_.below(6)) {
    case 0:
    case 1: CALL_ON(comet_host_complete, on, which, value); break;
    case 2: CALL_ON(comet_host_fail, on, which, random_.one_in(8) ? nullptr : "no\nno"); break;
    case 3: CALL_ON(comet_host_argument, on, which, n, at(value)); break;
    case 4: CALL_ON(comet_host_read, on, which, where, at(buffer_[0]), long_); break;
    default: CALL_ON(comet_host_write, on, which, where, at(buffer_[0]), long_);
  }
}

void api_calls::surroundings() {
  comet_machine* const on = any_made();
  const char* const texts[] = {"program", "A=1", "\xff=", random_.one_in(8) ? nullptr : "B=2"};
  const std::size_t count = random_.below(std::size(texts) + 1);
  const unsigned stream = static_cast<unsigned>(random_.one_in(8) ? awkward() : random_.below(3));
  const int descriptor = -static_cast<int>(1 + random_.below(3));  // nothing of this process's
  switch (random_.below(4)) {
    case 0: CALL_ON(comet_set_arguments, on, count, texts); break;
    case 1: CALL_ON(comet_set_environment, on, count, texts); break;
    case 2: CALL_ON(comet_set_stream, on, stream, descriptor); break;
    default: comet_set_random_seed(on, random_.word());
  }
}

int api_calls::count_poll(void* data) {
  auto* const self = static_cast<api_calls*>(data);
  return self->polls_left_ == 0 || --self->polls_left_ == 0;
}

void api_calls::hear(void*, const char*) {}

void api_calls::events() {
  comet_machine* const on = any_made();
  for (std::uint64_t n = random_.one_in(30) ? 300 : random_.below(4); n > 0; --n)
    note(comet_post_event(on, random_.below(8), random_.below(4), random_.word()));
}

// ---- states --------------------------------------------------------------------------------------------

int api_calls::append(void* data, const void* bytes, std::size_t length) {
  auto* const to = static_cast<std::vector<std::uint8_t>*>(data);
  const auto* const begin = static_cast<const std::uint8_t*>(bytes);
  if (to->size() > std::size_t{1} << 23) return 1;
  to->insert(to->end(), begin, begin + length);
  return 0;
}

void api_calls::drop_state(std::size_t n) {
  comet_state_free(states_[n].taken);
  states_.erase(states_.begin() + static_cast<std::ptrdiff_t>(n));
}

comet_save_options api_calls::save_options(const comet_stop& stop) {
  comet_save_options options = COMET_SAVE_OPTIONS_INIT;
  options.size = random_.one_in(20) ? 0 : sizeof options;
  options.image = random_.one_in(2) ? nullptr : any_of(images_);
  options.image_hash_only = static_cast<int>(random_.below(2));
  options.thread = thread();
  options.stop = random_.one_in(2) ? nullptr : &stop;
  return options;
}

// Saves a state and reads it again: what was saved has to be readable.
void api_calls::save() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  options.base = random_.one_in(3) ? any_state() : nullptr;
  std::vector<std::uint8_t> bytes;
  comet_state* kept = nullptr;
  const bool keeps = random_.one_in(3);
  const comet_status status = CALL_ON(comet_state_save, on, random_.one_in(4) ? nullptr : &options,
                                      random_.one_in(30) ? nullptr : append, &bytes, keeps ? &kept : nullptr);
  if (kept != nullptr) states_.push_back({kept, {}, false});
  comet_state* read = nullptr;
  const comet_status again = CALL(comet_state_read, bytes.data(), bytes.size(), nullptr, &read);
  if (again == COMET_OK) {
    const bool known = status == COMET_OK && depth_ == 0;
    states_.push_back({read, known ? hash_of(on) : hash{}, known});
  } else {
    require(status != COMET_OK || options.base != nullptr, "comet_state_read", "what was saved can be read");
  }
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

void api_calls::capture() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  comet_state* taken = nullptr;
  if (CALL_ON(comet_state_capture, on, random_.one_in(2) ? nullptr : &options, at(taken)) != COMET_OK) return;
  states_.push_back({taken, depth_ == 0 ? hash_of(on) : hash{}, depth_ == 0});
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

void api_calls::fork() {
  comet_machine* const on = any_made();
  machine& which = any();
  if (which.made == on) return;
  const std::size_t n = states_.empty() || random_.one_in(2) ? states_.size() : random_.below(states_.size());
  const comet_state* const from = n < states_.size() ? states_[n].taken : nullptr;
  comet_machine* made = nullptr;
  if (CALL_ON(comet_machine_fork, on, from, at(made)) != COMET_OK) return;
  if (from == nullptr && depth_ == 0) require_hash(made, hash_of(on), "comet_machine_fork");
  if (from != nullptr && states_[n].known) require_hash(made, states_[n].then, "comet_machine_fork");
  free_machine(which);
  which.made = made;
  comet_set_poll(made, count_poll, this);
}

void api_calls::restore() {
  comet_machine* const on = any_made();
  if (states_.empty()) return;
  const state& from = states_[random_.below(states_.size())];
  const comet_state* const taken = from.taken;
  comet_state_info info = COMET_STATE_INFO_INIT;
  info.size = size(sizeof info);
  CALL(comet_state_get, taken, at(info));
  comet_stop stop = COMET_STOP_INIT;
  CALL(comet_state_stop, taken, at(stop));
  const std::uint32_t n = static_cast<std::uint32_t>(random_.one_in(4) ? awkward() : random_.below(3));
  note(comet_state_image(taken) != nullptr);
  note(comet_state_import(taken, n) != nullptr);
  note(comet_state_argument(taken, n) != nullptr);
  if (CALL_ON(comet_state_restore, on, taken) == COMET_OK && from.known)
    require_hash(on, from.then, "comet_state_restore");
  if (random_.one_in(3)) CALL_ON(comet_timeline_load, on, taken, random_.below(1 << 16));
}

void api_calls::record() {
  comet_machine* const on = any_made();
  comet_stop stop = COMET_STOP_INIT;
  comet_save_options options = save_options(stop);
  if (random_.one_in(2)) {
    CALL_ON(comet_record_start, on, &options, append, &recording_);
    return;
  }
  CALL_ON(comet_record_stop, on, random_.one_in(2) ? nullptr : &options);
  comet_state* read = nullptr;
  CALL(comet_state_read, recording_.data(), recording_.size(), nullptr, &read);
  if (read != nullptr) states_.push_back({read, {}, false});
  while (states_.size() > 5) drop_state(random_.below(states_.size()));
}

// ---- images, code, instructions ------------------------------------------------------------------------

void api_calls::images() {
  if (images_.size() < 2) images_.push_back(program_image(random_program(random_)));
  comet_image* const image = any_of(images_);
  const std::uint64_t where = address(), long_ = random_.below(300),
                      more = random_.one_in(4) ? awkward() : long_;
  const int access = protection();
  const char* const name = host_name();
  const std::uint32_t line = static_cast<std::uint32_t>(random_.one_in(8) ? awkward() : random_.below(90));
  const std::size_t n = random_.one_in(8) ? awkward() : random_.below(3);
  switch (random_.below(10)) {
    case 0: CALL(comet_image_add_section, image, name, where, buffer_.data(), long_, more, access); break;
    case 1: CALL(comet_image_add_symbol, image, name, where); break;
    case 2: CALL(comet_image_add_line, image, where, name, line, line); break;
    case 3: CALL(comet_image_add_expansion, image, where, name, name, line, 0); break;
    case 4: CALL(comet_image_add_view, image, name, "u64"); break;
    case 5: CALL(comet_image_add_import, image, name); break;
    case 6: {
      comet_section section = COMET_SECTION_INIT;
      comet_symbol symbol = COMET_SYMBOL_INIT;
      comet_line place = COMET_LINE_INIT;
      CALL(comet_image_section, image, n, at(section));
      CALL(comet_image_symbol, image, n, at(symbol));
      CALL(comet_image_find_symbol, image, name, at(symbol));
      CALL(comet_image_symbol_at, image, where, at(symbol));
      CALL(comet_image_line_at, image, where, at(place));
      char text[100];
      note(comet_describe_place(image, where, text, random_.below(sizeof text)));
      break;
    }
    case 7: {
      const std::uint8_t* bytes = nullptr;
      std::size_t written = 0;
      comet_image* read = nullptr;
      if (CALL(comet_image_write, image, at(bytes), &written) != COMET_OK) break;
      const comet_status status = CALL(comet_image_read, bytes, written, &read);
      require(status == COMET_OK, "comet_image_read", "what was written can be read");
      comet_image_free(read);
      break;
    }
    default: {
      comet_machine* const on = any_made();
      const comet_space in = random_.one_in(3) ? space() : 0;
      call("comet_image_load", on,
           [&](comet_error* error) { return comet_image_load(image, on, in, error); });
    }
  }
  if (random_.one_in(12) && !images_.empty()) {
    comet_image_free(images_.back());
    images_.pop_back();
  }
}

void api_calls::code() {
  if (codes_.size() < 2) {
    comet_machine* const of = any_made();
    comet_code* made = nullptr;
    const std::uint64_t where = address();
    if (CALL(comet_code_new, comet_machine_isa(of), where, at(made)) == COMET_OK) codes_.push_back(made);
  }
  comet_code* const to = any_of(codes_);
  for (std::uint64_t n = random_.below(12); n > 0; --n) {
    comet_label label = static_cast<comet_label>(random_.below(4)),
                base = static_cast<comet_label>(random_.below(4));
    switch (random_.below(9)) {
      case 0: CALL(comet_code_label, to, at(label)); break;
      case 1: CALL(comet_code_place, to, label); break;
      case 2: {
        const std::size_t bytes = random_.below(12);
        CALL(comet_code_address, to, label, random_.one_in(2) ? nullptr : &base, bytes);
        break;
      }
      case 3: CALL(comet_code_align, to, random_.one_in(2) ? awkward() : 16); break;
      case 4: {
        const std::size_t bytes = random_.below(40);
        CALL(comet_code_bytes, to, random_.one_in(9) ? nullptr : buffer_.data(), bytes);
        break;
      }
      default: {
        comet_instruction what = COMET_INSTRUCTION_INIT;
        comet_isa_instruction(random_.below(140), &what, nullptr);
        const std::size_t right = what.operands == nullptr ? 0 : std::strlen(what.operands);
        comet_operand operands[6];
        for (comet_operand& operand : operands)
          operand = {static_cast<std::uint32_t>(random_.below(5)),
                     random_.one_in(2) ? random_.below(4) : random_.magnitude()};
        for (std::size_t i = 0; i < right && i < std::size(operands) && !random_.one_in(9); ++i)
          operands[i].kind = std::strchr("dsx", what.operands[i]) != nullptr ? COMET_OPERAND_REGISTER
                             : what.operands[i] == 't'                       ? COMET_OPERAND_THREAD_REGISTER
                                                                             : COMET_OPERAND_NUMBER;
        const std::size_t count = random_.one_in(12) ? random_.below(std::size(operands) + 1)
                                                     : std::min(right, std::size(operands));
        if (random_.one_in(3))
          CALL(comet_code_emit_opcode, to, what.opcode, operands, count);
        else
          CALL(comet_code_emit, to, what.name, operands, count);
      }
    }
  }
  const std::uint8_t* bytes = nullptr;
  std::size_t written = 0;
  std::uint64_t where = 0;
  if (CALL(comet_code_finish, to, at(bytes), &written) == COMET_OK) {
    note(comet_checksum(bytes, written));
    comet_machine* const on = any_made();
    if (random_.one_in(2)) CALL_ON(comet_write, on, 0, pages[0].address, bytes, written);
  }
  CALL(comet_code_label_address, to, 0, at(where));
  if (random_.one_in(3) && !codes_.empty()) {
    comet_code_free(codes_.back());
    codes_.pop_back();
  }
}

void api_calls::instructions_of_own() {
  comet_machine* const on = any_made();
  const std::size_t n = random_.one_in(8) ? awkward() : random_.below(3);
  comet_definition definition = COMET_DEFINITION_INIT;
  definition.size = size(sizeof definition);
  CALL(comet_isa_definition, comet_machine_isa(on), n, at(definition));
  std::uint8_t body[] = {0, 1, 1, 0, 0, 0};
  for (std::uint8_t& byte : body)
    if (random_.one_in(4)) byte = static_cast<std::uint8_t>(random_.word());
  definition = {sizeof definition,
                host_name(),
                random_.one_in(8) ? awkward() : 1020 + random_.below(9),
                random_.one_in(2) ? "" : "ds",
                "any",
                body,
                static_cast<std::size_t>(random_.below(sizeof body + 1)),
                nullptr};
  CALL_ON(comet_machine_define, on, &definition);
  comet_image* const image = any_of(images_);
  CALL(comet_image_add_instruction, image, &definition);
  comet_decoded decoded = COMET_DECODED_INIT;
  decoded.size = size(sizeof decoded);
  const std::size_t from = random_.below(buffer_length - 32), bytes = random_.below(32);
  CALL(comet_decode, comet_machine_isa(on), &buffer_[from], bytes, at(decoded));
  char text[60];
  note(comet_disassemble(comet_machine_isa(on), &buffer_[from], bytes, address(), text,
                         random_.below(sizeof text)));
}

void api_calls::questions() {
  comet_machine* const on = any_made();
  comet_statistics statistics = COMET_STATISTICS_INIT;
  statistics.size = size(sizeof statistics);
  CALL_ON(comet_machine_statistics, on, at(statistics));
  comet_config config = COMET_CONFIG_INIT;
  config.size = size(sizeof config);
  CALL_ON(comet_machine_config, on, at(config));
  note(comet_host_import_name(on, static_cast<std::uint32_t>(awkward())) != nullptr);
}

}  // namespace fuzz
