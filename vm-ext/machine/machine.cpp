// Spaces, threads, breakpoints and watchpoints of a machine.
#include "machine.h"

#include <cstdarg>
#include <cstdio>

#include <time.h>

#include <algorithm>

#include "../api/guard.h"
#include "../host/standard.h"

namespace comet {

std::uint64_t monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

HostState& host_state(comet_machine* machine) { return machine->host_state; }
bool host_granted(const comet_machine* machine, const char* name) { return machine->host.granted(name); }

void host_require_no_run(const comet_machine* machine, const char* what) { machine->require_no_run(what); }

bool host_memory_left(const comet_machine* machine, std::uint64_t length) { return machine->memory_left(length); }

bool host_stop_requested(comet_machine* machine) {
  // Only looked at: the run that the host call belongs to takes the request. What the poll function says it
  // may say only once, so it is kept.
  if (machine->poll != nullptr && machine->poll(machine->poll_data) != 0)
    machine->interrupted.store(true, std::memory_order_relaxed);
  return machine->freed || machine->interrupted.load(std::memory_order_relaxed) ||
         (machine->deadline != 0 && monotonic_now() >= machine->deadline);
}

bool Machine::stop_requested() {
  return freed || interrupted.exchange(false, std::memory_order_relaxed) || (deadline != 0 && monotonic_now() >= deadline) ||
         (poll != nullptr && poll(poll_data) != 0);
}

Machine::Machine(const comet_config& config, const HostMemory& memory)
    : config_(config), memory_(memory), budget_(std::make_shared<PageBudget>(PageBudget{config.memory_limit >> page_bits})) {
  grant_default(host);
  reset();
}

void Machine::require_no_run(const char* what) const {
  if (runs_under_way_ != 0)
    fail(COMET_ERROR_STATE, 0, "the machine cannot %s while it runs; do so when comet_run has returned", what);
}

void Machine::tell(const char* format, ...) const {
  if (log == nullptr) return;
  char line[200];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  log(log_data, line);
}

bool Machine::memory_left(std::uint64_t length) const { return budget_->has_room_for(length >> page_bits); }

void Machine::set_limits(const comet_config& limits) {
  require_no_run("get other limits");
  const auto require_room = [&](const ThreadState& state, const char* whose) {
    std::uint64_t window = 0;
    for (const ThreadState::Call& call : state.calls) window = std::max(window, call.window);
    if (state.calls.size() > limits.call_depth_limit || window > limits.register_limit ||
        state.registers.size() > limits.register_limit + register_slack)
      fail(COMET_ERROR_ARGUMENT, 0, "%s has %zu activations and windows up to register %llu, more than the new limits of %llu and %llu",
           whose, state.calls.size(), static_cast<unsigned long long>(window),
           static_cast<unsigned long long>(limits.call_depth_limit), static_cast<unsigned long long>(limits.register_limit));
  };
  if (limits.register_limit != config_.register_limit || limits.call_depth_limit != config_.call_depth_limit) {
    const std::map<comet_thread, ThreadState> states = thread_states();
    for (const auto& [id, state] : states) require_room(state, "a thread");
    for (const comet_snapshot& snapshot : snapshots_)
      for (const auto& [id, state] : snapshot.threads) require_room(state, "a thread in a snapshot");
    for (const auto& [id, thread] : threads_)
      if (thread->pending_call && thread->window_index() + thread->pending_call->base + 1 >= limits.register_limit + register_slack)
        fail(COMET_ERROR_ARGUMENT, 0, "thread %u waits for a host call with registers beyond the new limit of %llu; complete it first", id,
             static_cast<unsigned long long>(limits.register_limit));
    Threads threads = make_threads(states, limits);
    for (auto& [id, thread] : threads) {
      Thread& old = *threads_.at(id);
      thread->pending_call = old.pending_call;
      thread->failed_call = std::move(old.failed_call);
      thread->served_hit = old.served_hit;
    }
    threads_ = std::move(threads);
  }
  config_ = limits;
  budget_->limit = limits.memory_limit >> page_bits;
}

void Machine::reset() {
  require_no_run("be reset");
  // The new state is made first, so that a failure leaves the old one.
  auto budget = std::make_shared<PageBudget>(PageBudget{config_.memory_limit >> page_bits});
  auto space = std::make_shared<Space>(config_.window, budget, memory_, instructions);
  auto thread = std::make_unique<Thread>(config_, memory_, 0, 0);
  Spaces spaces;
  spaces.emplace(0, std::move(space));
  Threads threads;
  threads.emplace(0, std::move(thread));
  auto own = std::make_shared<const comet_isa>();
  snapshots_.clear();
  spaces_ = std::move(spaces);
  threads_ = std::move(threads);
  // As other limits, the lengths of turns stay.
  const Schedule before = std::exchange(schedule_, {});
  if (before.slice != schedule_.slice || before.seed != 0) set_schedule(before.slice, before.seed);
  budget_ = std::move(budget);
  watchpoints_.clear();
  timeline.clear();
  host.set_imports({});
  instructions.own = std::move(own);
  instructions.count_anew();
}

Space& Machine::space(comet_space id) const {
  const auto found = spaces_.find(id);
  if (found == spaces_.end())
    fail(COMET_ERROR_ARGUMENT, 0, "this machine has no address space %u; spaces come from comet_space_new", id);
  return *found->second;
}

Thread& Machine::thread(comet_thread id) const {
  const auto found = threads_.find(id);
  if (found == threads_.end())
    fail(COMET_ERROR_ARGUMENT, 0, "this machine has no thread %u; threads come from comet_thread_new", id);
  return *found->second;
}

comet_thread Machine::next_thread(comet_thread from) const {
  const auto found = threads_.lower_bound(from);
  if (found == threads_.end()) fail(COMET_ERROR_ARGUMENT, 0, "this machine has no thread from %u on", from);
  return found->first;
}

comet_space Machine::new_space() {
  const comet_space id = spaces_.rbegin()->first + 1;
  spaces_.emplace(id, std::make_shared<Space>(config_.window, budget_, memory_, instructions));
  return id;
}

void Machine::share(comet_space id, std::uint64_t address, std::uint64_t length, comet_space with, std::uint64_t at,
                    std::uint8_t protection) {
  AddressSpace& from = space(id).memory;
  AddressSpace& to = space(with).memory;
  if (id == with) fail(COMET_ERROR_ARGUMENT, 0, "a space shares pages with another one, not with itself");
  if (const auto missing = from.first_denied(address, length, 0))
    fail(COMET_ERROR_ADDRESS, *missing, "nothing is mapped at 0x%llx; map it first", static_cast<unsigned long long>(*missing));
  if (const auto region = to.next_region(at); length != 0 && region && region->first_page << page_bits <= at + (length - 1))
    fail(COMET_ERROR_ARGUMENT, at, "something is mapped from 0x%llx on in space %u; unmap it first", static_cast<unsigned long long>(at), with);
  const std::uint64_t first = address >> page_bits, count = length >> page_bits, to_first = at >> page_bits;
  for (std::uint64_t i = 0; i < count; ++i)
    if (const Block* const block = from.shared_block(first + i))
      for (const Block::Place& place : block->places)
        if (place.space == &to)
          fail(COMET_ERROR_ARGUMENT, address + (i << page_bits), "space %u has the page at 0x%llx already; it can have it once", with,
               static_cast<unsigned long long>(address + (i << page_bits)));
  to.map(at, length, protection);
  try {
    for (std::uint64_t i = 0; i < count; ++i) from.join(first + i, to, to_first + i);
  } catch (...) {
    to.unmap(at, length);
    throw;
  }
}

Machine::JoinedPages Machine::joined_pages() const {
  JoinedPages groups;
  std::map<const Block*, std::size_t> known;
  for (const auto& [id, space] : spaces_)
    space->memory.for_each_joined([&, space_id = id](std::uint64_t page, const Block& block) {
      const auto [entry, fresh] = known.try_emplace(&block, groups.size());
      if (fresh) groups.emplace_back();
      groups[entry->second].push_back({space_id, page});
    });
  std::erase_if(groups, [](const auto& group) { return group.size() < 2; });
  return groups;
}

void Machine::free_space(comet_space id) {
  space(id);
  if (id == 0) fail(COMET_ERROR_ARGUMENT, 0, "space 0 belongs to the machine; only spaces of comet_space_new are freed");
  for (const auto& [thread_id, thread] : threads_)
    if (thread->space == id)
      fail(COMET_ERROR_ARGUMENT, 0, "space %u still has thread %u in it; free the thread first", id, thread_id);
  take_leave(id, space(id));
  spaces_.erase(id);
}

// A space leaves the machine, but may come back with a snapshot: without what is not part of the state, and
// meanwhile not counted as mapped. No thread is in it.
void Machine::take_leave(comet_space id, Space& space) {
  std::erase_if(watchpoints_, [&](const auto& entry) { return entry.second == id; });
  space.memory.unwatch_all();
  space.code.clear_breakpoints();
  space.code.forget();
  space.memory.set_counted(false);
}

comet_thread Machine::new_thread(comet_space in_space, std::uint64_t pc) {
  space(in_space);
  const comet_thread id = std::max(schedule_.begun ? schedule_.next_thread : 1, threads_.rbegin()->first + 1);
  threads_.emplace(id, std::make_unique<Thread>(config_, memory_, in_space, pc));
  timeline.cut(id, 0, instruction_count()); // an earlier thread of that number was another one
  return id;
}

void Machine::free_thread(comet_thread id) {
  thread(id);
  if (id == 0) fail(COMET_ERROR_ARGUMENT, 0, "thread 0 belongs to the machine; only threads of comet_thread_new are freed");
  if (thread(id).running) require_no_run("free a running thread");
  end_thread(id, 0); // who waits to join it goes on
  schedule_.ended_count += thread(id).instruction_count;
  threads_.erase(id);
  settle_turn();
}

void Machine::forget_code(Space& space) {
  const Slot* const resume = CodeCache::resume_slot(); // looked up once: there may be very many activations
  for (const auto& [id, thread] : threads_) {
    if (spaces_.at(thread->space).get() != &space) continue;
    for (Activation* activation = thread->activations.data() + 1; activation <= thread->top; ++activation) {
      if (activation->return_slot == nullptr || activation->return_slot == resume) continue;
      activation->return_address = space.code.address_of(activation->return_slot);
      activation->return_slot = resume;
    }
  }
  space.code.forget();
}

void Machine::set_own_instructions(std::shared_ptr<const comet_isa> own) {
  require_no_run("get other instructions");
  instructions.own = std::move(own);
  for (const auto& [id, space] : spaces_) forget_code(*space);
}

void Machine::treat(std::uint64_t opcode, comet_treatment treatment) {
  require_no_run("treat instructions otherwise");
  if (treatment == COMET_ORDINARY) instructions.treated.erase(opcode);
  else instructions.treated[opcode] = {treatment, 0};
  for (const auto& [id, space] : spaces_) forget_code(*space);
}

void Machine::set_breakpoint(comet_space id, std::uint64_t address) {
  Space& in = space(id);
  in.code.set_breakpoint(address);
  forget_code(in);
}

bool Machine::clear_breakpoint(comet_space id, std::uint64_t address) {
  Space& in = space(id);
  if (!in.code.clear_breakpoint(address)) return false;
  forget_code(in);
  return true;
}

std::uint32_t Machine::set_watchpoint(comet_space id, std::uint64_t address, std::uint64_t length,
                                      std::uint8_t access) {
  AddressSpace& memory = space(id).memory;
  const auto entry = watchpoints_.emplace(next_watchpoint_, id).first;
  try {
    memory.watch(next_watchpoint_, address, length, access);
  } catch (...) {
    watchpoints_.erase(entry);
    throw;
  }
  return next_watchpoint_++;
}

bool Machine::clear_watchpoint(std::uint32_t id) {
  const auto found = watchpoints_.find(id);
  if (found == watchpoints_.end()) return false;
  spaces_.at(found->second)->memory.unwatch(id); // a space that goes takes its own along
  watchpoints_.erase(found);
  return true;
}

bool Machine::serves_host_call(comet_space id) const {
  return std::any_of(threads_.begin(), threads_.end(), [&](const auto& entry) {
    return entry.second->space == id && entry.second->pending_call.has_value();
  });
}

void Machine::note_change(const Change& change, const void* bytes, std::optional<comet_thread> of) {
  if (timeline.recording() && !timeline.note(change, bytes, of)) note_other_change();
}

void Machine::note_other_change() {
  if (!timeline.recording()) return;
  timeline.count_change();
  const std::uint64_t count = instruction_count();
  for (const auto& [id, thread] : threads_) timeline.cut(id, thread->instruction_count, count);
  timeline.cut(COMET_EVERY_THREAD, count, count);
}

void Machine::apply(const Change& change) {
  const auto unlike = [] {
    // Whatever changes the machine from outside cuts the log, so only a log from elsewhere meets another state.
    fail(COMET_ERROR_STATE, 0, "the machine is not as it was when this host call was recorded, so it cannot be served "
         "from the log; begin a new timeline");
  };
  switch (change.kind) {  // beyond tests: there are no others
    case Change::Kind::write: {
      AddressSpace& memory = space(change.where).memory;
      if (memory.first_denied(change.address, change.bytes.size(), 0)) unlike();
      // beyond tests: a write from outside a call cuts the log
      if (change.access != 0) memory.note_access(change.address, change.bytes.size(), change.access);
      memory.write(change.address, change.bytes.data(), change.bytes.size());
      return;
    }
    case Change::Kind::access: return space(change.where).memory.note_access(change.address, change.length, change.access);
    case Change::Kind::map: return space(change.where).memory.map(change.address, change.length, change.access);
    case Change::Kind::unmap: return space(change.where).memory.unmap(change.address, change.length);
    case Change::Kind::protect: return space(change.where).memory.protect(change.address, change.length, change.access);
    case Change::Kind::set_register: {
      Thread& in = thread(change.where);
      std::uint64_t* const place = in.register_at(change.length, change.address);
      if (place == nullptr) unlike();
      return in.write(place, change.value);
    }
    case Change::Kind::set_thread_register:
      thread(change.where).thread_registers[change.address] = change.value;
      return;
    case Change::Kind::event:
      return change.access == 0 ? give_up_waiting(change.where) : call_event_handler(change.where, change);
  }
}

} // namespace comet
