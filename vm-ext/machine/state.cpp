// The state of a machine as a value: snapshots and the state hash.
#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "../api/guard.h"
#include "little_endian.h"
#include "machine.h"

namespace comet {

ThreadState Machine::thread_state(const Thread& thread) const {
  ThreadState state{thread.space, thread.pc, thread.instruction_count, thread.thread_registers, {}, {}};
  const std::uint64_t highest = spaces_.at(thread.space)->code.highest_register();
  const std::uint64_t* registers = thread.registers.data();
  state.registers.assign(registers, registers + thread.used_registers(highest));
  state.calls.reserve(thread.depth());
  for (const Activation* activation = thread.activations.data(); activation <= thread.top; ++activation) {
    const std::uint64_t* window = activation == thread.top ? thread.window : activation[1].window;
    std::uint64_t return_address = 0;
    if (activation->return_slot == CodeCache::resume_slot()) return_address = activation->return_address;
    else if (activation->return_slot != nullptr) return_address = CodeCache::address_of(activation->return_slot);
    state.calls.push_back({activation->function, return_address, static_cast<std::uint64_t>(window - registers)});
  }
  return state;
}

void Machine::set_thread_state(Thread& thread, const ThreadState& state) {
  thread.restart(state.pc);
  thread.space = state.space;
  thread.instruction_count = state.instruction_count;
  thread.thread_registers = state.thread_registers;
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
}

comet_snapshot* Machine::take_snapshot() {
  comet_snapshot snapshot;
  for (const auto& [id, thread] : threads_) snapshot.threads.emplace(id, thread_state(*thread));
  snapshot.imports = host.imports();
  snapshot.own_instructions = instructions.own;
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

void Machine::restore_snapshot(const comet_snapshot* snapshot) {
  if (std::none_of(snapshots_.begin(), snapshots_.end(), [&](const comet_snapshot& own) { return &own == snapshot; }))
    fail(COMET_ERROR_ARGUMENT, 0, "this snapshot was freed, or belongs to another machine; restore one of this machine's own");
  require_no_run("go back to a snapshot");
  // What can fail for want of memory comes before what changes threads and spaces.
  std::map<comet_space, std::shared_ptr<Space>> spaces;
  std::map<comet_thread, std::unique_ptr<Thread>> threads;
  for (const auto& [id, state] : snapshot->threads) {
    auto thread = std::make_unique<Thread>(config_, state.space, state.pc);
    set_thread_state(*thread, state);
    threads.emplace(id, std::move(thread));
  }
  for (const comet_snapshot::SpaceMark& mark : snapshot->spaces) {
    mark.space->memory.prepare_restore(mark.mark);
    spaces.emplace(mark.id, mark.space);
  }
  timeline.forget_open_calls();
  host.set_imports(snapshot->imports);
  const bool same_instructions = instructions.own->definitions == snapshot->own_instructions->definitions;
  if (!same_instructions) instructions.own = snapshot->own_instructions;
  spaces_.swap(spaces);
  threads_.swap(threads);
  for (const auto& [id, space] : spaces) {
    const auto now = spaces_.find(id);
    if (now == spaces_.end() || now->second != space) take_leave(id, *space);
  }
  for (const comet_snapshot::SpaceMark& mark : snapshot->spaces) {
    mark.space->memory.set_counted(true);
    mark.space->memory.restore();
    if (!same_instructions) forget_code(*mark.space);
  }
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
    for (const comet_snapshot::SpaceMark& mark : snapshot.spaces) bytes += mark.space->memory.saved_bytes(mark.mark);
    for (const auto& [id, state] : snapshot.threads)
      bytes += state.registers.size() * sizeof(std::uint64_t) + state.calls.size() * sizeof(ThreadState::Call);
  }
  return bytes;
}

namespace {

// Feeds numbers to the hash in little-endian order, whatever the host's is.
class StateHash {
 public:
  StateHash() { XXH3_128bits_reset(&state_); }
  void number(std::uint64_t value) {
    value = swap_on_big_endian(value);
    bytes(&value, sizeof value);
  }
  void bytes(const void* data, std::size_t length) { XXH3_128bits_update(&state_, data, length); }
  void finish(std::uint8_t hash[16]) const {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_));
    std::copy_n(canonical.digest, 16, hash);
  }

 private:
  XXH3_state_t state_;
};

} // namespace

void Machine::state_hash(std::uint8_t hash[16]) const {
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
  // What a machine without instructions of its own has hashed to stays so.
  for (const auto& definition : instructions.own->definitions.all()) {
    state.number(definition->opcode);
    for (const std::string* part : {&definition->name, &definition->operands}) {
      state.number(part->size());
      state.bytes(part->data(), part->size());
    }
    state.number(definition->body.size());
    state.bytes(definition->body.data(), definition->body.size());
  }
  state.finish(hash);
}

} // namespace comet
