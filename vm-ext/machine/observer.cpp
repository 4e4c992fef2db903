#include "observer.h"

#include <algorithm>

#include "little_endian.h"

namespace comet {

Observer::Observer(comet_observation& observation, const AddressSpace& memory, const Thread& thread, comet_thread id,
                   std::uint64_t count_before)
    : observation_(observation), profile_(observation.profile), memory_(memory), count_before_(count_before) {
  if (profile_ != nullptr) profile_->enter(thread, observation.profile_weight);
  for (std::size_t i = 0; i < observation.filter_count; ++i) wanted_ |= observation.filters[i].events;
  if (observation.of_thread != COMET_EVERY_THREAD && observation.of_thread != id) wanted_ &= COMET_EVENT_READ | COMET_EVENT_WRITE;
}

std::optional<Told> Observer::told() const {
  if (profile_ != nullptr || observation_.counts_length != 0 || (wanted_ & COMET_EVENT_EXECUTE) != 0) return std::nullopt;
  Told told;
  told.calls = (wanted_ & COMET_EVENT_CALL) != 0;
  told.returns = (wanted_ & COMET_EVENT_RETURN) != 0;
  told.thread_registers = (wanted_ & COMET_EVENT_THREAD_REGISTER) != 0;
  for (std::size_t i = 0; i < observation_.filter_count; ++i) {
    const comet_filter& filter = observation_.filters[i];
    if ((filter.events & wanted_ & COMET_EVENT_REGISTER) == 0) continue;
    if (filter.last - filter.first >= Told::most_registers - told.registers.size()) return std::nullopt;
    for (std::uint64_t n = 0; n <= filter.last - filter.first; ++n) told.registers.push_back(filter.first + n);
  }
  return told;
}

std::vector<AddressSpace::Observed> Observer::memory() const {
  std::vector<AddressSpace::Observed> ranges;
  for (std::size_t i = 0; i < observation_.filter_count; ++i) {
    const comet_filter& filter = observation_.filters[i];
    if ((filter.events & (COMET_EVENT_READ | COMET_EVENT_WRITE)) == 0) continue;
    std::uint8_t kinds = 0;
    if ((filter.events & COMET_EVENT_READ) != 0) kinds |= protection_read;
    if ((filter.events & COMET_EVENT_WRITE) != 0) kinds |= protection_write;
    ranges.push_back({filter.first, filter.last, kinds});
  }
  return ranges;
}

void Observer::begin(std::uint64_t count, std::uint64_t pc, std::uint64_t opcode) {
  if (profile_ != nullptr) profile_->begin(count, pc, opcode);
  count_ = count_before_ + count;
  pc_ = pc;
  current_count_ = 0;
  if ((wanted_ & COMET_EVENT_EXECUTE) != 0) note(COMET_EVENT_EXECUTE, pc, 1, 0, 0);
}

void Observer::accessed(std::uint64_t address, std::uint64_t length, std::uint8_t kind) {
  if (length == 0) return;
  if ((kind & protection_read) != 0) {
    if (profile_ != nullptr) profile_->accessed(address, length, COMET_READ);
    note(COMET_EVENT_READ, address, length, 0, 0);
  }
  if ((kind & protection_write) != 0) {
    if (profile_ != nullptr) profile_->accessed(address, length, COMET_WRITE);
    note(COMET_EVENT_WRITE, address, length, 0, 0);
  }
}

// Of an access to memory, what the filter asked for counts: events tell of the first wanted byte.
void Observer::note(unsigned kind, std::uint64_t place, std::uint64_t length, std::uint64_t before, std::uint64_t after) {
  if ((wanted_ & kind) == 0) return;
  const std::uint64_t last = place + (length - 1);
  for (std::size_t i = 0; i < observation_.filter_count; ++i) {
    const comet_filter& filter = observation_.filters[i];
    if ((filter.events & kind) == 0 || last < filter.first || filter.last < place) continue;
    if (current_count_ == current_.size()) {
      ++observation_.seen;
      return;
    }
    const std::uint64_t begin = std::max(place, filter.first);
    comet_event& event = current_[current_count_++];
    event = {kind, count_, pc_, begin, last - begin + 1, before, after};
    if (kind == COMET_EVENT_READ || kind == COMET_EVENT_WRITE)
      event.before = event.after = value_at(event.place, event.length);
    return;
  }
}

std::uint64_t Observer::value_at(std::uint64_t address, std::uint64_t length) const {
  std::uint8_t bytes[8] = {};
  memory_.read(address, bytes, std::min<std::uint64_t>(length, sizeof bytes));
  return load_little<std::uint64_t>(bytes);
}

void Observer::executed() {
  if (profile_ != nullptr) profile_->executed();
  const std::uint64_t offset = pc_ - observation_.counts_first;
  if (offset < observation_.counts_length) ++observation_.counts[offset];
  for (std::size_t i = 0; i < current_count_; ++i) {
    comet_event& event = current_[i];
    if (event.kind == COMET_EVENT_WRITE && !memory_.first_denied(event.place, event.length, 0))
      event.after = value_at(event.place, event.length); // a host call may have unmapped it meanwhile
    keep(event);
  }
  current_count_ = 0;
}

void Observer::keep(const comet_event& event) {
  ++observation_.seen;
  if (observation_.event_count < observation_.capacity) {
    observation_.events[observation_.event_count++] = event;
  } else if (observation_.capacity != 0) {
    observation_.events[ring_begin_] = event;
    ring_begin_ = (ring_begin_ + 1) % observation_.capacity;
  }
}

void Observer::finish() {
  std::rotate(observation_.events, observation_.events + ring_begin_, observation_.events + observation_.event_count);
  ring_begin_ = 0;
}

} // namespace comet
