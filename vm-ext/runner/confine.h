// A fence around the process, by the operating system.
#pragma once

namespace comet::runner {

// From here on the process can do what running a program, waiting, and writing to what is open take, and nothing else:
// no file opened, no process or connection made, no code mapped. `files`: it may open, make, rename and remove files, since
// directories were granted; which ones the library sees to. For another system call the kernel kills it (SIGSYS).
// Cannot be undone, and is inherited. Linux alone has it; elsewhere, and in builds with sanitizers, which need more,
// this does nothing. Throws a message, a std::string, where the kernel refuses.
void confine(bool files);

}  // namespace comet::runner
