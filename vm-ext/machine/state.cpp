// The state of a machine as a value: snapshots and the state hash.
#include <algorithm>

#include "../api/guard.h"
#include "../isa/isa.h"
#include "machine.h"
#include "state_hash.h"

namespace comet {

ThreadState Machine::thread_state(const Thread& thread) const {
  ThreadState state{thread.space, thread.pc, thread.instruction_count, thread.thread_registers, {}, {}, thread.status};
  const CodeCache& code = spaces_.at(thread.space)->code;
  const std::uint64_t* registers = thread.registers.data();
  state.registers.assign(registers, registers + thread.used_registers(code.highest_register()));
  state.calls.reserve(thread.depth());
  for (const Activation* activation = thread.activations.data(); activation <= thread.top; ++activation) {
    const std::uint64_t* window = activation == thread.top ? thread.window : activation[1].window;
    state.calls.push_back({activation->function, code.return_address(*activation), static_cast<std::uint64_t>(window - registers)});
  }
  return state;
}

void Machine::set_thread_state(Thread& thread, const ThreadState& state) {
  thread.restart(state.pc);
  thread.space = state.space;
  thread.instruction_count = state.instruction_count;
  thread.thread_registers = state.thread_registers;
  thread.status = state.status;
  std::uint64_t* const registers = thread.registers.data();
  std::copy(state.registers.begin(), state.registers.end(), registers);
  thread.touched = state.registers.size();
  for (std::size_t i = 0; i < state.calls.size(); ++i) {
    const ThreadState::Call& call = state.calls[i];
    thread.raise_window_bound(call.window);
    Activation& activation = thread.activations.data()[i];
    activation.function = call.function;
    activation.return_address = call.return_address;
    activation.return_slot = i == 0 ? nullptr : CodeCache::resume_slot();
    activation.window = i == 0 ? nullptr : registers + state.calls[i - 1].window;
    thread.window = registers + call.window;
    thread.top = &activation;
  }
  for (const Interruption& each : state.status.interruptions) thread.activations.data()[each.depth - 1].return_slot = nullptr;
}

comet_snapshot* Machine::take_snapshot() {
  comet_snapshot snapshot;
  snapshot.threads = thread_states();
  snapshot.imports = host.imports();
  snapshot.own_instructions = instructions.own;
  snapshot.random = host_state.random;
  snapshot.schedule = schedule_;
  snapshot.spaces.reserve(spaces_.size());
  snapshots_.push_back(std::move(snapshot));
  comet_snapshot& taken = snapshots_.back();
  try {
    for (const auto& [id, space] : spaces_) taken.spaces.push_back({id, space, space->memory.take_mark()});
  } catch (...) {
    release_marks(taken);
    snapshots_.pop_back();
    throw;
  }
  return &taken;
}

void Machine::require_own(const comet_snapshot* snapshot) const {
  if (std::none_of(snapshots_.begin(), snapshots_.end(), [&](const comet_snapshot& own) { return &own == snapshot; }))
    fail(COMET_ERROR_ARGUMENT, 0, "this snapshot was freed, or belongs to another machine; restore one of this machine's own");
}

const comet_snapshot::SpaceMark& Machine::mark_of(const comet_snapshot* snapshot, comet_space id) const {
  require_own(snapshot);
  for (const comet_snapshot::SpaceMark& mark : snapshot->spaces) {
    const auto now = spaces_.find(id);
    if (mark.id == id && now != spaces_.end() && now->second == mark.space) return mark;
  }
  fail(COMET_ERROR_ARGUMENT, 0, "space %u is not in the snapshot and in the machine; compare one that is in both", id);
}

std::optional<AddressSpace::Range> Machine::next_difference(const comet_snapshot* snapshot, comet_space id,
                                                            std::uint64_t from) const {
  const comet_snapshot::SpaceMark& mark = mark_of(snapshot, id);
  return mark.space->memory.next_difference(mark.mark, from);
}

std::optional<AddressSpace::Range> Machine::next_written(const comet_snapshot* snapshot, comet_space id,
                                                         std::uint64_t from) const {
  const comet_snapshot::SpaceMark& mark = mark_of(snapshot, id);
  return mark.space->memory.next_written(mark.mark, from);
}

void Machine::restore_snapshot(const comet_snapshot* snapshot) {
  require_own(snapshot);
  require_no_run("go back to a snapshot");
  // What can fail for want of memory comes before what changes threads and spaces.
  Threads threads = make_threads(snapshot->threads, config_);
  Spaces spaces;
  for (const comet_snapshot::SpaceMark& mark : snapshot->spaces) {
    mark.space->memory.prepare_restore(mark.mark);
    spaces.emplace(mark.id, mark.space);
  }
  become(std::move(spaces), std::move(threads), snapshot->imports, snapshot->own_instructions, snapshot->random,
         snapshot->schedule);
  for (const comet_snapshot::SpaceMark& mark : snapshot->spaces) mark.space->memory.restore();
}

std::map<comet_thread, ThreadState> Machine::thread_states() const {
  std::map<comet_thread, ThreadState> states;
  for (const auto& [id, thread] : threads_) states.emplace(id, thread_state(*thread));
  return states;
}

Machine::Threads Machine::make_threads(const std::map<comet_thread, ThreadState>& states, const comet_config& limits) const {
  Threads threads;
  for (const auto& [id, state] : states) {
    auto thread = std::make_unique<Thread>(limits, memory_, state.space, state.pc);
    set_thread_state(*thread, state);
    threads.emplace(id, std::move(thread));
  }
  return threads;
}

// Only the import list wants memory, and comes first.
void Machine::become(Spaces spaces, Threads threads, std::vector<std::string> imports, std::shared_ptr<const comet_isa> own,
                     const Random& random, const Schedule& schedule) {
  host.set_imports(std::move(imports));
  timeline.forget_open_calls();
  const bool same_instructions = instructions.own->definitions == own->definitions;
  if (!same_instructions) instructions.own = std::move(own);
  host_state.random = random;
  schedule_ = schedule;
  asked_in_turn_.reset();
  spaces_.swap(spaces);
  threads_.swap(threads);
  for (const auto& [id, space] : spaces) {
    const auto now = spaces_.find(id);
    if (now == spaces_.end() || now->second != space) take_leave(id, *space);
  }
  for (const auto& [id, space] : spaces_) {
    space->memory.set_counted(true);
    if (!same_instructions) forget_code(*space);
  }
}

// ---- states from elsewhere ------------------------------------------------------------------------------

namespace {

// The hcall at which a thread waits: what it says is read from the program once more, so that nobody needs
// to be believed about it.
PendingCall waiting_call(const AddressSpace& memory, const isa::Definitions& own, const Thread& thread, comet_thread id) {
  std::uint8_t bytes[isa::max_instruction_bytes];
  isa::Decoded decoded{};
  const std::size_t available = memory.fetch(thread.pc, bytes, sizeof bytes);
  const isa::DecodeStatus status = isa::decode(bytes, available, &own, decoded);
  if (status == isa::DecodeStatus::ok && decoded.definition != nullptr) decoded = isa::decoded_part(decoded, decoded.definition->parts[0]);
  if (status != isa::DecodeStatus::ok || decoded.operation != isa::op_hcall)
    fail(COMET_ERROR_FORMAT, thread.pc, "the state says that thread %u waits for a host call at 0x%llx, where no hcall is; "
         "save it again", id, static_cast<unsigned long long>(thread.pc));
  const std::uint64_t base = decoded.operands[0], room = thread.register_count() - thread.window_index();
  if (base >= room - 1)
    fail(COMET_ERROR_FORMAT, thread.pc, "the state says that thread %u waits for a host call whose registers lie beyond the "
         "register stack; save it again", id);
  return {base, thread.pc + decoded.length, decoded.operands[1]};
}

} // namespace

std::shared_ptr<Space> Machine::detached_space() {
  auto space = std::make_shared<Space>(config_.window, budget_, memory_, instructions);
  space->memory.set_counted(false);
  return space;
}

void Machine::require_page_limit(std::uint64_t pages) const {
  if (PageBudget::with_tables(pages) <= budget_->limit) return;
  fail(COMET_ERROR_MEMORY, 0, "the state has %llu pages of 64 KiB mapped, more than the machine's memory limit of %llu bytes; "
       "give a machine with the limit of the one that it was saved from",
       static_cast<unsigned long long>(pages), static_cast<unsigned long long>(budget_->limit << page_bits));
}

void Machine::adopt(Spaces spaces, const std::map<comet_thread, ThreadState>& states, std::vector<std::string> imports,
                    std::shared_ptr<const comet_isa> own, const Random& random, const Schedule& schedule,
                    const std::set<comet_thread>& waiting, std::optional<comet_thread> asked_in_turn) {
  require_no_run("take over another state");
  Threads threads = make_threads(states, config_);
  std::map<comet_thread, PendingCall> calls;
  for (const comet_thread id : waiting)
    calls.emplace(id, waiting_call(spaces.at(threads.at(id)->space)->memory, own->definitions, *threads.at(id), id));
  for (const auto& [id, call] : calls) threads.at(id)->pending_call = call;
  timeline.reserve_open_calls(calls.size());
  become(std::move(spaces), std::move(threads), std::move(imports), std::move(own), random, schedule);
  asked_in_turn_ = asked_in_turn;
  timeline.clear();
  timeline.count_change();
  if (timeline.recording())
    for (const auto& [id, call] : calls) timeline.open(id, thread(id).instruction_count, call.index, instruction_count());
}

void Machine::release_marks(const comet_snapshot& snapshot) {
  for (const comet_snapshot::SpaceMark& mark : snapshot.spaces) mark.space->memory.drop_mark(mark.mark);
}

void Machine::free_snapshot(const comet_snapshot* snapshot) {
  const auto found =
      std::find_if(snapshots_.begin(), snapshots_.end(), [&](const comet_snapshot& own) { return &own == snapshot; });
  if (found == snapshots_.end()) return;
  release_marks(*found);
  snapshots_.erase(found);
}

std::uint64_t Machine::snapshot_bytes() const {
  std::uint64_t bytes = 0;
  for (const comet_snapshot& snapshot : snapshots_) {
    for (const comet_snapshot::SpaceMark& mark : snapshot.spaces) // each space is counted once
      if (mark.space->memory.is_oldest(mark.mark)) bytes += mark.space->memory.kept_bytes();
    for (const auto& [id, state] : snapshot.threads)
      bytes += state.registers.size() * sizeof(std::uint64_t) + state.calls.size() * sizeof(ThreadState::Call);
  }
  return bytes;
}

Hash128 Machine::state_hash() const {
  StateHash state;
  state.number(spaces_.size());
  for (const auto& [id, space] : spaces_) {
    state.number(id);
    std::uint64_t pages = 0;
    space->memory.for_each_page([&](std::uint64_t number, std::uint8_t protection, const std::uint8_t* bytes) {
      state.number(number);
      state.number(protection);
      state.bytes(bytes, page_size);
      ++pages;
    });
    state.number(pages);
  }
  for (const auto& group : joined_pages()) {
    state.number(group.size());
    for (const PagePlace& place : group)
      for (const std::uint64_t part : {std::uint64_t{place.space}, place.page}) state.number(part);
  }
  state.number(threads_.size());
  for (const auto& [id, thread] : threads_) {
    const ThreadState value = thread_state(*thread);
    for (const std::uint64_t part : {std::uint64_t{id}, std::uint64_t{value.space}, value.pc, value.instruction_count})
      state.number(part);
    for (const std::uint64_t part : value.thread_registers) state.number(part);
    state.number(value.registers.size());
    for (const std::uint64_t part : value.registers) state.number(part);
    state.number(value.calls.size());
    for (const ThreadState::Call& call : value.calls)
      for (const std::uint64_t part : {call.function, call.return_address, call.window}) state.number(part);
  }
  state.number(host.imports().size());
  for (const std::string& name : host.imports()) {
    state.number(name.size());
    state.bytes(name.data(), name.size());
  }
  hash_instructions(state, *instructions.own);
  hash_schedule(state, schedule_);
  for (const auto& [id, thread] : threads_) hash_status(state, id, thread->status);
  return state.finish();
}

} // namespace comet
