// A machine's state as a value: what a state file says, and what a machine is asked for to write one.
//
// Pages are in runs. A run of zeros is as long as one likes; a page with content is a run of its own, known
// by its hash. Its bytes are where they are: whole in a machine, as stored pieces in the file that was read,
// or, when the state is kept only to be compared with, nowhere.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../comet.h"
#include "../host/files.h"
#include "../host/random.h"
#include "../image/image.h"
#include "../machine/state_hash.h"
#include "../machine/thread.h"
#include "../machine/timeline.h"
#include "../memory/host_pages.h"

namespace comet {

class Machine;

struct PageRun {
  uint64_t first;  // number of the page
  uint64_t count;  // 1 for a page with content
  uint8_t protection;
  bool zero;
  Hash128 hash{};                  // of a page's content
  uint64_t pieces = 0;             // bit i: piece i of the page is stored
  const uint8_t* bytes = nullptr;  // captured: the page, in the machine or in `pages`; read: the stored
                                   // pieces one after the other; else null
};

// Sorted by `first`, without overlap.
using PageRuns = std::vector<PageRun>;

struct JoinedPage {
  comet_space space;
  uint64_t page;
};

struct SavedImport {
  std::string name;
  bool granted;
};

struct SavedImage {
  Hash128 hash;                        // of its file
  std::unique_ptr<comet_image> image;  // null where only the hash was saved
};

struct SavedStop {
  comet_thread thread;
  comet_stop stop;
  Hash128 hash;  // of the state, see comet_state_hash
  uint64_t total;  // instruction count of all threads
};

struct SavedState {
  comet_config limits;
  std::optional<Random::State> random;
  std::vector<SavedImport> imports;
  comet_isa own;  // instructions that are not the table's
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::map<comet_thread, ThreadState> threads;
  Schedule schedule;
  std::set<comet_thread> waiting;  // threads whose host call waits for the embedder
  std::optional<comet_thread> asked_in_turn;  // the one of them that made it when it was its turn
  // As in files: 0, 1, or 2 for that one.
  uint8_t waits(comet_thread id) const { return waiting.count(id) == 0 ? 0 : asked_in_turn == id ? 2 : 1; }
  std::map<comet_space, PageRuns> spaces;
  // Pages that are one and the same: at least two in a group, of different spaces in order, each page once.
  std::vector<std::vector<JoinedPage>> joined;
  Hash128 identity{};  // of all of the above

  std::optional<Hash128> base;  // identity of the state whose pages the file left out
  std::optional<SavedImage> image;
  SavedFiles open_files;  // left out of the identity: the host may not have them
  std::optional<SavedStop> stop;

  // Of a recording: what followed.
  bool recording = false;
  bool lost = false;  // the machine was changed from outside: nothing is known of what followed
  std::map<comet_thread, std::vector<LoggedCall>> calls;
  std::map<comet_thread, uint64_t> reached;

  // The pages of a state that was captured to be kept, in the order of the runs.
  std::shared_ptr<const SharedPages> pages;

  // The files that pages lie in.
  std::vector<std::shared_ptr<const std::vector<uint8_t>>> files;
};

// The state of a machine, its pages where they are; good until the machine changes.
SavedState capture(const Machine& machine);
// Gives a captured state pages of its own, so that the machine may change.
void keep_pages(SavedState& state, const HostMemory& memory);
// The hash that a state is known by: whatever may differ when it goes on, and nothing else.
Hash128 identity_of(const SavedState& state);

// Writes the file of a state up to where a recording would go on; leaves out pages that the base has.
class RecordWriter;
void write_state(RecordWriter& writer, const SavedState& state, const SavedState* base, uint32_t kind);
void write_stop(RecordWriter& writer, const SavedStop& stop);

// Reads and checks a file in full. Takes memory of at most some thirty times the file's length (and of what
// the base's page table takes), and time in proportion.
SavedState read_state(std::vector<uint8_t> file, const SavedState* base);
// The bytes of a file to the end of a stream, which begins as a state and has at most `limit`.
std::vector<uint8_t> take_file(comet_source source, void* data, uint64_t limit);

// Makes the machine go on from the state; all of it or nothing.
void restore_state(Machine& machine, const SavedState& state);

}  // namespace comet

struct comet_state : comet::SavedState {
  explicit comet_state(comet::SavedState&& state) : SavedState(std::move(state)) {}
};
