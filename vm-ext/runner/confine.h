// Fences around the process, by the operating system.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "options.h"

namespace comet::runner {

// Which of them stand.
struct Fences {
  bool seccomp = false;
  bool landlock = false;
  std::string refusal;  // why there is no seccomp, where there could be
};

// From here on the process can do what running a program, waiting, and writing to what is open take, and nothing else:
// no file opened, no process or connection made, no code mapped. For another system call the kernel kills it (SIGSYS,
// by seccomp). Where directories were granted it may open, make, rename and remove files: beneath these alone, and
// where it may write, if the kernel has Landlock, besides the library's own care. Cannot be undone, and is inherited.
// Linux alone has these fences; elsewhere, and in builds with sanitizers, which need more, this makes the threads
// alone. `make_threads` makes those that the process is to have besides, which is the last that is made; the fences are
// around them too.
Fences confine(const std::vector<Directory>& directories, const std::function<void()>& make_threads = [] {});

}  // namespace comet::runner
