// Gives a target inputs that are drawn from a seed: NAME SEED FIRST COUNT [FILE...]
//
// COUNT is how many, or for how long, as 60s. Input n of a seed is the same wherever it begins: `NAME SEED n 1` repeats
// it. The first are the target's own seeds and the files, as they are. NAME -o FOLDER SEED FIRST COUNT [FILE...] writes
// the inputs into the folder, as 0, 1 and so on, and does nothing else.
//
// They are tried in a child: what crashes it, or takes over a minute of the processor, is told by its number and kept
// in CRASHES, a folder, where that is set.
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <string>

#include "target.h"

namespace {

using fuzz::bytes;

constexpr int patience = 60;

struct inputs {
  std::uint64_t seed = 0, first = 0, count = UINT64_MAX;
  std::chrono::seconds time = std::chrono::hours(1 << 20);
  std::vector<bytes> from;

  bytes number(std::uint64_t n) const {
    if (n < from.size()) return from[n];
    fuzz::random_source random(seed * 0x100000001b3 + n);
    return fuzz::draw(random, from);
  }
};

bool write_file(const std::filesystem::path& path, const bytes& content) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  return static_cast<bool>(file.flush());
}

// `done` is in memory that the parent sees: how many were tried so far.
int try_all(const inputs& what, std::atomic<std::uint64_t>& done) {
  const auto end = std::chrono::steady_clock::now() + what.time;
  for (; done < what.count && std::chrono::steady_clock::now() < end; ++done) {
    const itimerval at_most{{0, 0}, {patience, 0}};
    setitimer(ITIMER_PROF, &at_most, nullptr);
    const bytes input = what.number(what.first + done);
    // A copy of the exact size, so that a sanitizer sees a read behind the end.
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[input.size()]);
    std::copy(input.begin(), input.end(), exact.get());
    try {
      LLVMFuzzerTestOneInput(exact.get(), input.size());
    } catch (const std::exception& broken) {
      std::cout << broken.what() << "\n";
      return 1;
    }
  }
  fuzz::report(std::cout);
  return 0;
}

int try_in_a_child(const inputs& what) {
  void* const shared = mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 71;
  auto& done = *new (shared) std::atomic<std::uint64_t>(0);
  std::cout.flush();
  const pid_t child = fork();
  if (child == 0) {
    const int status = try_all(what, done);
    std::cout.flush();
    std::exit(status);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 71;
  const std::uint64_t tried = done;
  if (status == 0) {
    std::printf("%" PRIu64 " passed, 0 failed\n", tried);
    return 0;
  }
  const char* const how = WIFEXITED(status)                 ? "fails"
                          : WTERMSIG(status) == SIGPROF ? "takes too long"
                                                            : strsignal(WTERMSIG(status));
  std::printf("not ok - seed %" PRIu64 ", input %" PRIu64 ": %s\n", what.seed, what.first + tried, how);
  if (const char* const folder = std::getenv("CRASHES")) {
    const auto path = std::filesystem::path(folder) /
                      ("seed-" + std::to_string(what.seed) + "-" + std::to_string(what.first + tried));
    std::filesystem::create_directories(folder);
    if (write_file(path, what.number(what.first + tried))) std::printf("the input is in %s\n", path.c_str());
  }
  std::printf("%" PRIu64 " passed, 1 failed\n", tried);
  return 1;
}

int write_all(const inputs& what, const std::filesystem::path& folder) {
  for (std::uint64_t n = 0; n < what.count; ++n)
    if (!write_file(folder / std::to_string(n), what.number(what.first + n))) {
      std::cerr << folder.string() << " cannot be written into\n";
      return 73;
    }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::string folder;
  if (count >= 3 && std::strcmp(arguments[1], "-o") == 0) {
    folder = arguments[2];
    count -= 2;
    arguments += 2;
  }
  if (count < 4) {
    std::cerr << "usage: NAME [-o FOLDER] SEED FIRST COUNT|SECONDSs [FILE...]\n";
    return 64;
  }
  inputs what;
  what.from = fuzz::seeds();
  for (int i = 4; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    what.from.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    if (!file || what.from.back().empty()) {
      std::cerr << arguments[i] << " cannot be read or is empty\n";
      return 66;
    }
  }
  what.seed = std::strtoull(arguments[1], nullptr, 0);
  what.first = std::strtoull(arguments[2], nullptr, 0);
  char* unit = nullptr;
  const std::uint64_t amount = std::strtoull(arguments[3], &unit, 0);
  if (*unit == 's')
    what.time = std::chrono::seconds(amount);
  else
    what.count = amount;
  return folder.empty() ? try_in_a_child(what) : write_all(what, folder);
}
