// The files of one machine: directories that it was granted, and what its program has opened in them.
//
// Descriptors below first_file are the streams. Granted directories come first, in the order of the grants; what is
// opened gets the lowest number that is free. Nothing outside of a granted directory is ever opened, and nothing in
// one that was granted for reading is changed. Like streams, files are the embedder's and no part of the state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "beneath.h"

namespace comet {

inline constexpr uint64_t first_file = 3;
inline constexpr size_t most_files = 256;

struct OpenFile {
  Descriptor descriptor;
  bool readable = true;
  bool writable = false;
  bool changeable = false;        // a directory in which things may be made and changed
  bool append = false;
  std::string name;               // what a granted directory is called in the guest
  std::vector<uint8_t> listing;   // of a directory, from the last time it was asked for from its beginning on
  std::vector<size_t> entries;    // where in it each begins
};

class Files {
 public:
  // Opens a directory of the host; errno says why not. The name is one that no other has.
  bool grant(const char* host_path, std::string name, bool changeable);
  bool has(const std::string& name) const;
  bool full() const { return files_.size() >= most_files; }

  // Null where nothing is open.
  OpenFile* find(uint64_t number) const;
  // The number that a file gets; -1 where most_files are open.
  int64_t add(std::shared_ptr<OpenFile> file);
  bool close(uint64_t number);
  // Gives an open file the place of another open file, which is closed.
  bool renumber(uint64_t from, uint64_t to);

  Resolver resolver = host_resolver();

 private:
  std::vector<std::shared_ptr<OpenFile>> files_;  // by number from first_file on
};

}  // namespace comet
