#include "recorder.h"

#include <cstring>

#include "../machine/machine.h"
#include "format.h"
#include "log.h"

namespace comet {
namespace {

constexpr uint64_t tick_nanoseconds = 1'000'000'000;

}  // namespace

Recorder::Recorder(const SavedState& start, comet_sink sink, void* data)
    : writer_(sink, data), written_at_(monotonic_now()) {
  write_state(writer_, start, nullptr, state_format::kind_recording);
}

// Keeps what went wrong for whoever ends the recording.
template <class Write>
void Recorder::attempt(Write&& write) noexcept {
  if (ended_) return;
  comet_error error = COMET_ERROR_INIT;
  if (guard(&error, [&] { write(); }) == COMET_OK) return;
  ended_ = true;
  failure_ = Failure{error.status, error.address, {}};
  std::memcpy(failure_->message, error.message, sizeof failure_->message);
}

void Recorder::lose() {
  writer_.record(state_format::lost_record, Payload());
  ended_ = true;
}

void Recorder::finished(comet_thread thread, const LoggedCall& call) noexcept {
  attempt([&] {
    const auto [last, first] = last_.try_emplace(thread, 0);
    // beyond tests: who goes back, and on in another way, was seen to change the machine before
    if (!first && call.count <= last->second) return lose();
    Payload payload;
    put_call(payload, thread, last->second, call);
    writer_.record(state_format::call_record, payload);
    last->second = call.count;
    written_at_ = monotonic_now();
  });
}

void Recorder::reached(comet_thread thread, std::uint64_t count) noexcept {
  attempt([&] {
    const uint64_t now = monotonic_now();
    if (now - written_at_ < tick_nanoseconds) return;
    put_tick(thread, count);
    written_at_ = now;
  });
}

void Recorder::put_tick(comet_thread thread, std::uint64_t count) {
  Payload payload;
  payload.put(thread, 4);
  payload.put(0, 4);
  payload.put(count, 8);
  writer_.record(state_format::tick_record, payload);
}

void Recorder::changed() noexcept {
  attempt([&] { lose(); });
}

void Recorder::stop(const std::optional<SavedStop>& stop) {
  attempt([&] {
    if (!stop) return;
    if (stop->total != stop->stop.instruction_count) put_tick(COMET_EVERY_THREAD, stop->total);
    write_stop(writer_, *stop);
  });
  ended_ = true;
  if (failure_) throw *failure_;
}

}  // namespace comet
