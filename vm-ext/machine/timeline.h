// The timeline's log of host calls: what came into a machine from outside, and when.
//
// While recording is on, every host call that was executed leaves an entry: the thread's instruction count,
// the result or exit status, and what the call changed in the machine. Once the machine has gone back (an
// older snapshot was restored), a host call at a count that the log has is served from it, without calling
// out; behind the last entry of its thread, execution is live again. Calls that trapped or were interrupted
// did nothing, and leave no entry.
//
// Entries are ordered within a thread only: in which order an embedder runs several threads is its own
// affair, and not recorded. In runs of all threads the order is the machine's. What comes then between two
// instructions, events, is logged under the number COMET_EVERY_THREAD by the count of all threads. The log holds a bounded number of bytes; where the oldest entries had to go,
// `forgotten` says so, and the machine does not run on from there as if nothing had been.
//
// A log can be kept, so that the machine can come back to a future that another one has replaced. Logs share
// their entries; those that are kept count within the bound, and lose their oldest with the rest.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "../comet.h"
#include "../host/random.h"

namespace comet {

// What a host call did to the machine, as a thing to be done again.
struct Change {
  enum class Kind : std::uint8_t { write, access, map, unmap, protect, set_register, set_thread_register, event };
  Kind kind;
  std::uint8_t access = 0;    // write, access: what watchpoints are told; map, protect: the protection; event: its kind,
                              // 0 for the end of a thread's waiting
  std::uint32_t where = 0;    // the space; for registers and events the thread
  std::uint64_t address = 0;  // for registers the index, for events the id
  std::uint64_t length = 0;   // for registers the activation's level
  std::uint64_t value = 0;    // of a register, of an event
  std::vector<std::uint8_t> bytes{}; // write: `length` of them
};

struct LoggedCall {
  std::uint64_t count; // of the thread, before the hcall
  std::uint64_t index; // in the import list
  std::optional<std::uint64_t> result;
  std::optional<std::int64_t> exit_status;
  std::vector<Change> changes;
  std::optional<Random> random; // the generator behind it, where it was used
  std::uint64_t total = 0;      // instruction count of all threads, before the hcall
  std::uint64_t sequence = 0; // over all threads
  std::size_t bytes = 0;
};

// Who writes down what the timeline sees.
class TimelineListener {
 public:
  virtual ~TimelineListener() = default;
  virtual void finished(comet_thread thread, const LoggedCall& call) noexcept = 0;
  virtual void reached(comet_thread thread, std::uint64_t count) noexcept = 0;
  // The machine was changed from outside, or the log is void: what comes is another future.
  virtual void changed() noexcept = 0;
};

class Timeline {
 public:
  // Begins with an empty log; all logs together hold at most so many bytes.
  void start(std::uint64_t byte_limit);
  void stop();
  // What was recorded is void, kept or not; recording goes on.
  void clear();
  bool recording() const { return recording_; }

  // ---- recording one call: opened, then either finished or abandoned. A call that is left to the
  // embedder stays open until it completes.
  // total: the instruction count of all threads.
  void open(comet_thread thread, std::uint64_t count, std::uint64_t index, std::uint64_t total);
  // After this, so many calls are opened without more memory.
  void reserve_open_calls(std::size_t calls) { open_.reserve(calls); }
  void finish(comet_thread thread, std::optional<std::uint64_t> result, std::optional<std::int64_t> exit_status,
              std::optional<Random> random = {});
  // The call was not executed. What it had changed counts as a change from outside.
  void abandon(comet_thread thread);
  // The machine went elsewhere in time: no call is under way any more.
  void forget_open_calls() { open_.clear(); }
  // Adds to the call of a thread, or to the one that was opened last; false when none is open, and the change is one
  // from outside. `bytes` are what a write wrote.
  bool note(const Change& change, const void* bytes = nullptr, std::optional<comet_thread> of = {}) noexcept;

  // ---- going back and forth
  bool forgotten(comet_thread thread, std::uint64_t count) const;
  // The entry for a call, or null where execution is live. A call that is not the logged one means that the
  // run has left the recorded timeline: what was recorded from there on is cut off.
  const LoggedCall* find(comet_thread thread, std::uint64_t count, std::uint64_t index, std::uint64_t total);
  void cut(comet_thread thread, std::uint64_t count, std::uint64_t total);
  // What came between two instructions at this count of all threads or later, first; null: nothing.
  const LoggedCall* next_arrival(std::uint64_t total) const;
  // Whether some of that went, from before this count.
  bool arrivals_forgotten(std::uint64_t total) const;
  // All threads together have come so far. Below that nothing comes but what the log has.
  void ran_to(std::uint64_t total) { logs_.known_to = std::max(logs_.known_to, total); }
  std::uint64_t known_to() const { return recording_ ? logs_.known_to : 0; }

  // Changes from outside since the start: whoever keeps snapshots must not re-run across one.
  void count_change();
  std::uint64_t changes() const { return changes_; }

  // ---- logs that are kept, by number
  std::uint32_t keep();
  // Makes a kept log, which stays kept, the one that calls are served from. False: there is none of that number.
  bool resume(std::uint32_t id);
  bool drop(std::uint32_t id);

  // ---- a log from elsewhere, and one for elsewhere
  // Begins with these calls, by thread and count, whatever the limit says about them.
  void start_with(const std::map<comet_thread, std::vector<LoggedCall>>& calls, std::uint64_t known_to, std::uint64_t byte_limit);
  // The thread has come so far; told now and then while it runs, and when it stops.
  void reached(comet_thread thread, std::uint64_t count) {
    if (listener) listener->reached(thread, count);
  }
  std::unique_ptr<TimelineListener> listener;

  std::uint64_t entries() const;
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t begin(comet_thread thread) const;
  std::uint64_t end(comet_thread thread) const;

 private:
  using Entry = std::shared_ptr<const LoggedCall>;
  struct Log {
    std::deque<Entry> calls; // by count
    std::uint64_t begin = 0; // calls at lower counts were dropped
  };
  struct Logs {
    std::map<comet_thread, Log> threads;
    std::uint64_t begin = 0;    // as Log::begin, in instructions of all threads
    std::uint64_t known_to = 0; // see ran_to
  };
  struct OpenCall {
    comet_thread thread;
    bool lost; // the host had no memory for all of it
    LoggedCall call;
  };

  void forget(Entry& entry) noexcept;
  void forget(Logs& logs) noexcept;
  void begin_anew();
  void keep_within_limit();
  void lose_all_until(comet_thread thread, std::uint64_t count, std::uint64_t total);

  bool recording_ = false;
  std::uint64_t byte_limit_ = 0;
  std::uint64_t bytes_ = 0; // of entries, each once
  std::uint64_t changes_ = 0;
  std::uint64_t next_sequence_ = 0;
  Logs logs_;
  std::map<std::uint32_t, Logs> kept_;
  std::uint32_t next_kept_ = 1;
  std::vector<OpenCall> open_;
};

} // namespace comet
