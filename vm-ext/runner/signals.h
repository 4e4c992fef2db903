// Signals of the host: the program gets those that it has a handler for; another one ends its run.
#pragma once

#include "../comet.h"

namespace comet::runner {

// Leads SIGHUP, SIGINT, SIGTERM, SIGUSR1 and SIGPIPE to a machine as long as it lives; signal handlers reach nothing
// but globals, so that there is one at a time. A signal that was ignored when the runner started stays so.
class Signals {
 public:
  explicit Signals(comet_machine* machine);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // Behind a run that was interrupted: posts what has come to the program, which may be nothing, where one signal came
  // while another was handed on. False: one for which it has no handler; then the run is over.
  bool hand_on();
  // The signal that ended it, or 0.
  int ending() const { return ending_; }

 private:
  comet_machine* machine_;
  int ending_ = 0;
};

}  // namespace comet::runner
