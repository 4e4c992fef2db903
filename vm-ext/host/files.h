// The files of one machine: directories that it was granted, and what its program has opened in them.
//
// Descriptors below first_file are the streams, until they are closed or a file takes their place; then come granted
// directories, in the order of the grants; what is opened gets the lowest free number. Nothing outside of these is ever
// opened, and nothing is changed in one that was granted for reading. Like streams, files are the embedder's; a state
// tells what was open, so that a machine which goes on from it can open that again in what it was granted itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "beneath.h"

namespace comet {

inline constexpr uint64_t first_file = 3;
inline constexpr size_t most_files = 256;

// How a file was opened.
struct Opening {
  size_t directory = 0;   // the granted directory that it is in, by the order of the grants
  std::string path;       // from there; empty: where it is cannot be told
  bool readable = true;
  bool writable = false;
  bool append = false;
  bool following = false;  // a symbolic link at the end of the path
};

struct OpenFile {
  Descriptor descriptor;          // none: a closed stream, or what could not be opened again
  Opening how;
  bool changeable = false;        // a directory in which things may be made and changed
  std::string name;               // what a granted directory is called in the guest
  std::vector<uint8_t> listing;   // of a directory, from the last time it was asked for from its beginning on
  std::vector<size_t> entries;    // where in it each begins
};

// What is open, without anything of the host: what a state tells.
struct SavedFile {
  enum Kind : uint8_t { lost = 0, granted = 1, directory = 3, file = 4 };
  uint64_t number;
  Kind kind;
  uint64_t place;  // in a file
  Opening how;     // of a granted directory only which; nothing of what is lost
};

struct SavedFiles {
  std::vector<std::string> directories;  // names of those that were granted
  std::vector<SavedFile> open;           // by number
};

class Files {
 public:
  // Opens a directory of the host; errno says why not. The name is one that no other has.
  bool grant(const char* host_path, std::string name, bool changeable);
  bool has(const std::string& name) const;
  bool full() const { return std::max(files_.size() - first_file, granted_.size()) >= most_files; }

  // Whether the embedder's stream is there.
  bool is_stream(uint64_t number) const { return number < first_file && files_[number] == nullptr; }
  // Null where nothing is open, or a stream.
  OpenFile* find(uint64_t number) const;
  // The number that a file gets; -1 where most_files are open.
  int64_t add(std::shared_ptr<OpenFile> file);
  // Whether it was open. Its number is free then, or that of a closed stream.
  bool close(uint64_t number);
  // Gives an open file the place of another or of a stream, which is closed.
  bool renumber(uint64_t from, uint64_t to);

  // What was renamed or removed since it was opened is lost, and so is what is neither directory nor file.
  SavedFiles saved() const;
  // The same directories, and open in them what was, under the same numbers and at the same places, as far as it is
  // there and they permit it; what is not keeps its number and is open no more. Creates and shortens nothing.
  Files reopened(const SavedFiles& saved) const;
  // As after fork(2): the same open files under the same numbers, whose places in them move together. What is known
  // of them is each one's own, for two machines may run in different threads.
  Files shared() const;

  Resolver resolver = host_resolver();

 private:
  std::shared_ptr<OpenFile> reopened(const SavedFile& file, const std::shared_ptr<OpenFile>& directory) const;

  std::vector<std::shared_ptr<OpenFile>> granted_;  // also when the program closed them
  std::vector<std::shared_ptr<OpenFile>> files_{first_file};  // by number
};

// The path of something in a directory, from the granted directory on; empty where it is too long.
std::string path_in(const OpenFile& directory, const std::string& path);
// Flags for open(2) for what is there already.
int flags_of(const Opening& how);

}  // namespace comet
