// Snapshots and the timeline.
#include "call.h"

namespace fuzz {

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

}  // namespace fuzz
