// Host calls of a recording, as records.
#pragma once

#include <cstdint>

#include "../machine/timeline.h"
#include "records.h"

namespace comet {

// `before`: the count of the thread's call before, which this one's is written relative to.
void put_call(Payload& payload, comet_thread thread, uint64_t before, const LoggedCall& call);
comet_thread take_call_thread(Fields& fields);
// Whatever a machine could not do without harm is refused here.
LoggedCall take_call(Fields& fields, uint64_t before);

}  // namespace comet
