// Writes what a timeline sees behind the state that it began with: a recording.
//
// Each record goes to the sink at once, so that what was executed before a crash is in the file. A sink that
// refuses, memory that runs out, or a change from outside ends the recording; the machine runs on.
#pragma once

#include <map>
#include <optional>

#include "../api/guard.h"
#include "records.h"
#include "saved_state.h"

namespace comet {

class Recorder : public TimelineListener {
 public:
  // Writes the state; fails as that does.
  Recorder(const SavedState& start, comet_sink sink, void* data);

  void finished(comet_thread thread, const LoggedCall& call) noexcept override;
  void reached(comet_thread thread, std::uint64_t count) noexcept override;
  void changed() noexcept override;
  // The end: why and where it stopped, unless nothing is to be told of it. Fails when anything could not be
  // written.
  void stop(const std::optional<SavedStop>& stop);

 private:
  template <class Write>
  void attempt(Write&& write) noexcept;
  void lose();
  void put_tick(comet_thread thread, std::uint64_t count);

  RecordWriter writer_;
  std::map<comet_thread, uint64_t> last_;  // count of the call that was written last
  uint64_t written_at_;                    // nanoseconds of the host's clock
  bool ended_ = false;
  std::optional<Failure> failure_;
};

}  // namespace comet
